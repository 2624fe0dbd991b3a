// SPDX-License-Identifier: GPL-2.0
import test from 'ava';
import type {Step} from '../engine/journal.ts';
import type {SearchResult} from '../engine/search.ts';
import {bisectMarkdown, exitStatusOf, isSure, type Result, toJson} from './bisect-report.ts';

const step = (more: Partial<Step> = {}): Step => ({
	...{type: 'step', stage: 'commits', role: 'step', candidate: {id: 'a1', title: 'a1 (one | two)'}, verdict: 'bad'},
	...{failed: 3, asked: 3, prepareMs: 61_000, ms: 5000, isReused: false},
	...more,
});

const culprit = {id: 'a1', title: 'a1 (one | two)'};
const finding = (more: Partial<SearchResult> = {}): SearchResult => ({
	stage: 'commits',
	suspects: [culprit],
	steps: [
		step({role: 'bad end'}),
		step({
			candidate: {id: 'b2', title: 'b2'},
			verdict: 'skip',
			reason: 'b2 does not boot: <panic>',
			failed: 0,
			asked: 0,
		}),
		step({candidate: {id: 'c3', title: 'c3'}, sameAs: culprit, asked: 0, failed: 0}),
		step({candidate: {id: 'd4', title: 'd4'}, isReused: true, console: '/cache/d4.console'}),
	],
	rate: {failed: 6, asked: 20},
	nearestRate: {failed: 4, asked: 11},
	provedPasses: 40,
	symptoms: ['crash: WARNING in fx_c'],
	repeats: 19,
	confidence: 0.9678,
	wanted: 0.95,
	...more,
});
const result = (more: Partial<Result> = {}): Result => ({
	predicate: 'entry/*',
	finding: finding(),
	verification: {parent: step({verdict: 'good'}), commit: step(), isConfirmed: true},
	text: 'commit a1\n\n    one ``` two\u001b[31m',
	command: 'npx probe-matrix bisect --good 1 --bad 2',
	directory: '/cache',
	...more,
});

test('a report names the result, its confidence, and verdict and cost of each step', t => {
	const text = bisectMarkdown([result()]);
	for (const words of [
		'The first bad commit is **a1 (one \\| two)**, with 96.7 % confidence',
		'failed 6 of 20 times; 19 passes in a row',
		'passed 40 times; a bug that shows in one of ten attempts, or half as often as next to it (4 of 11)',
		'Checks: parent good: PASS, commit bad: PASS, revert good: does not apply.',
		'| step | b2 | skip (b2 does not boot: &lt;panic>) | 0 of 0 | 1:01 min | 5 s |',
		'(same image as a1 (one \\| two))',
		'| step | d4 | bad | 3 of 3 | reused | 5 s | `/cache/d4.console` |',
		'4 steps: 3 built or fetched, 1 cached, 1 with the image of another step.',
		'npx probe-matrix bisect --good 1 --bad 2',
	])
		t.true(text.includes(words), `${words}\n\n${text}`);
});

test('a report of several suspects, of any failure, and of options that were not taken', t => {
	const lost = ['CONFIG_A=y (it is n)', 'CONFIG_B=y (it is n)', 'CONFIG_C=y (it is n)', 'CONFIG_D=y (it is n)'];
	const several = finding({suspects: [culprit, {id: 'b2', title: 'b2'}], symptoms: [], steps: [step({lost})]});
	const {verification: _, ...rest} = result({finding: several});
	const text = bisectMarkdown([rest]);
	for (const words of [
		'The first bad commit is one of **a1 (one \\| two)**, **b2**: those in between could not be judged.',
		'Bad means any failure.',
		'bad, without CONFIG\\_A=y (it is n), CONFIG\\_B=y (it is n), CONFIG\\_C=y (it is n) and 1 more |',
	])
		t.true(text.includes(words), `${words}\n\n${text}`);
	t.notRegex(text, /Checks:/);
});

test('a report of a fix says what was fixed, and what is assumed', t => {
	const verification = {parent: step({verdict: 'bad'}), commit: step({verdict: 'good'}), isConfirmed: true};
	const text = bisectMarkdown([result({finding: finding({isFixed: true}), verification})]);
	for (const words of [
		'The first fixed commit is **a1 (one \\| two)**',
		'Checks: parent bad: PASS, commit good: PASS, revert bad: does not apply.',
		'The result passed 40 times;',
		'If the bug was mended and came back in between, this is one of the fixes.',
	])
		t.true(text.includes(words), `${words}\n\n${text}`);
	const other = (stage: string) => bisectMarkdown([result({finding: finding({isFixed: true, stage}), verification})]);
	t.regex(other('releases'), /The first fixed kernel is/);
	t.regex(other('config'), /The smallest set of options that mends the bug is.*bad configuration bad: PASS/s);
});

test('a commit message can neither emit escape sequences nor close its fence', t => {
	const text = bisectMarkdown([result()]);
	t.false(text.includes('\u001b'));
	t.true(text.includes('````\ncommit a1'));
});

test('isSure needs one suspect and a confirmed verification', t => {
	t.true(isSure(result()));
	t.false(isSure(result({finding: finding({suspects: [culprit, {id: 'b2', title: 'b2'}]})})));
	const parent = step({verdict: 'bad'});
	const wrong = result({verification: {parent, commit: step(), isConfirmed: false}});
	t.false(isSure(wrong));
	t.regex(bisectMarkdown([wrong]), /parent good: FAIL \(it is bad\).*not confirmed/);
	t.is(exitStatusOf([result(), result()]), 0);
	t.is(exitStatusOf([result(), wrong]), 1);
	t.is(exitStatusOf([wrong, result()]), 1);
});

test('the JSON has one entry per stage', t => {
	const {schema, stages} = JSON.parse(toJson([result(), result()]));
	t.is(schema, 1);
	t.is(stages.length, 2);
	t.is(stages[0].isSure, true);
	t.is(stages[0].steps.length, 4);
	t.is(stages[0].verification.commit.verdict, 'bad');
});

test('a result below the requested confidence is not sure', t => {
	const weak = result({finding: finding({confidence: 0.9321})});
	t.false(isSure(weak));
	t.regex(bisectMarkdown([weak]), /with 93\.2 % confidence, below the requested 95\.0 %/);
});

test('a report of configurations uses their terms and names what could not be judged', t => {
	const doubt = 'A smaller set may be enough; these could not be judged: CONFIG_A=y';
	const verification = {parent: step({verdict: 'good'}), commit: step(), revert: step({verdict: 'good'})};
	const text = bisectMarkdown([
		result({finding: finding({stage: 'config'}), verification: {...verification, isConfirmed: false, doubt}}),
	]);
	for (const words of [
		'The smallest bad set of options is **a1',
		'Checks: good configuration good: PASS, with these options bad: PASS, bad configuration without them good: PASS.',
		`**The result is not confirmed.** A smaller set may be enough; these could not be judged: CONFIG\\_A=y.`,
	])
		t.true(text.includes(words), `${words}\n\n${text}`);
});

test('a report of releases calls them kernels, and says what is assumed of the history', t => {
	const text = bisectMarkdown([result({finding: finding({stage: 'releases'})})]);
	t.true(text.includes('The first bad kernel is **a1 (one \\| two)**, with'));
	t.true(text.includes('If the bug was mended and came back in between, this is one of the places where it came.'));
	t.notRegex(bisectMarkdown([result({finding: finding({stage: 'config'})})]), /in between/);
});

test('a result that no passes prove claims none', t => {
	const {provedPasses: _, ...rest} = finding();
	const text = bisectMarkdown([result({finding: rest})]);
	t.notRegex(text, /times; a bug that shows/);
	t.notRegex(text, /in between/);
});

test('text of a guest stays text in symptoms', t => {
	const text = bisectMarkdown([result({finding: finding({symptoms: ['crash: <b>', 'fail: *']})})]);
	t.true(text.includes('Bad means: crash: &lt;b>; fail: \\*.'));
});

test('stages of one bisect stand apart', t => {
	const text = bisectMarkdown([result({finding: finding({stage: 'releases'})}), result()]);
	t.regex(text, /```\n\n## Bisect of commits\n\n/);
	t.true(text.startsWith('## Bisect of releases\n\n'));
	t.regex(text, /[^\n]\n$/);
});

test('a result with just the requested confidence is sure, also without a verification', t => {
	const {verification: _, ...rest} = result({finding: finding({confidence: 0.95})});
	t.true(isSure(rest));
	t.notRegex(bisectMarkdown([rest]), /below the requested/);
});

test('the JSON does not hold the renamed options, which are for the search alone', t => {
	const [stage] = JSON.parse(toJson([result({renames: new Map([['CONFIG_A', 'CONFIG_B']])})])).stages;
	t.false('renames' in stage);
	t.is(stage.stage, 'commits');
});

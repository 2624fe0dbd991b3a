// SPDX-License-Identifier: GPL-2.0
import {stripVTControlCharacters} from 'node:util';
import test from 'ava';
import type {CellSummary} from '../results/run/cell-summary.ts';
import {formatNight} from './format-night.ts';
import type {JudgedCell, NightReport} from './judge-night.ts';
import type {KnownFailure} from './known-failures.ts';

const name = {kernel: 'debian-6.1', mechanism: 'bprobe', case: 'entry/flags', target: 'asm'};
const night: CellSummary = {
	verdict: 'fail',
	passes: 0,
	total: 1,
	durationMs: 10,
	durationsMs: [],
	message: 'CF is 1, should be 0\nmore',
};
const finding = (about: Partial<JudgedCell>): JudgedCell => ({
	...name,
	kind: 'regression',
	isNew: true,
	night,
	...about,
});
const quiet: NightReport = {findings: [], passAgain: [], idle: [], lost: [], unproved: [], exitCode: 0};
const known = {case: 'entry/flags', since: '2026-11-20', reason: 'QEMU forgets it.'};

const format = (report: Partial<NightReport>) => stripVTControlCharacters(formatNight({...quiet, ...report}));

test('a quiet night prints only its exit status', t => {
	t.is(format({}), 'exit status: 0\n');
});

test('a regression shows its failed reruns and its message', t => {
	const text = format({findings: [finding({reruns: {failed: 7, total: 10}})], exitCode: 1});
	t.true(
		text.startsWith(
			'regressions: 1\n  debian-6.1 entry/flags[asm]\n    fail, 7 of 10 reruns failed, new\n    CF is 1, should be 0\n',
		),
		text,
	);
	t.true(text.endsWith('\nexit status: 1\n'));
});

test('an old failure shows since when it fails', t => {
	t.regex(format({findings: [finding({isNew: false, since: 'r7'})]}), /\n {4}fail, since r7\n/);
});

test('findings are sorted: crashes, regressions, flaky cells, known failures', t => {
	const findings = (['known', 'flaky', 'regression', 'crash'] as const).map(kind => finding({kind}));
	t.deepEqual(
		format({findings})
			.split('\n')
			.filter(line => /^\w.*: \d$/.test(line) && !line.includes('exit')),
		['new crashes: 1', 'regressions: 1', 'flaky: 1', 'known failures: 1'],
	);
});

test('a known failure shows its reason instead of its message', t => {
	const text = format({findings: [finding({kind: 'known', known})]});
	t.true(text.includes('\n    QEMU forgets it.\n'));
	t.false(text.includes('CF is 1'));
});

test('a known failure without a reason shows its issue, and one with both its reason', t => {
	const issue = 'https://example.org/issues/7';
	const linesOf = (about: KnownFailure) => format({findings: [finding({kind: 'known', known: about})]}).split('\n');
	const {reason, ...bare} = known;
	t.deepEqual(linesOf({...bare, issue}).slice(3), [`    ${issue}`, '', 'exit status: 0', '']);
	t.deepEqual(linesOf({...bare, reason, issue}).slice(3), [`    ${reason}`, '', 'exit status: 0', '']);
});

test('entries of the known failures that pass or match nothing are listed', t => {
	const text = format({passAgain: [known], idle: [{...known, case: 'entry/flgs'}]});
	t.regex(text, /known failures that pass again: remove them from the list: 1\n.*entry\/flags, since 2026-11-20\n/);
	t.regex(text, /known failures that match no cell: 1\n.*entry\/flgs, since 2026-11-20\n/);
});

test('lost kernels show their reason, and whether they ran before', t => {
	const lost = {kernel: 'k', reason: 'no network\nat all', isNews: true, hasBooted: false, notRun: 214} as const;
	const [failed, unavailable] = [
		{...lost, state: 'failed', isRegression: true},
		{...lost, state: 'unavailable', isRegression: false, notRun: 1},
	] as const;
	const halfway = {...failed, isRegression: false, hasBooted: true};
	t.regex(format({lost: [failed]}), / {2}k: failed, and ran before; 214 cells did not run\n {4}no network\n/);
	t.regex(format({lost: [halfway]}), / {2}k: failed halfway; 214 cells did not run\n {4}no network\n/);
	t.regex(format({lost: [unavailable]}), / {2}k: unavailable; 1 cell did not run\n {4}no network\n/);
});

test('inconclusive cells are named', t => {
	t.regex(format({unproved: [name]}), /proved nothing: 1\n {2}debian-6.1 entry\/flags\[asm\]\n/);
});

test('lines are at most 80 columns, and guest text cannot emit escape sequences', t => {
	const hostile = {...night, message: `\u001B[2J${'x'.repeat(200)}`};
	const text = format({
		findings: [finding({case: `entry/${'long-'.repeat(30)}`, night: hostile})],
		lost: [
			{
				...{kernel: 'k'.repeat(100), state: 'failed', reason: 'y'.repeat(300)},
				...{isRegression: true, isNews: true, hasBooted: false, notRun: 3},
			},
		],
	});
	for (const line of text.split('\n')) t.true(line.length <= 80, line);
	t.false(
		formatNight({...quiet, findings: [finding({night: {...hostile, message: '\u001B[2J'}})]}).includes('\u001B[2J'),
	);
});

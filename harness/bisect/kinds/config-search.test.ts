// SPDX-License-Identifier: GPL-2.0
import {mkdtempDisposable} from 'node:fs/promises';
import {tmpdir} from 'node:os';
import path from 'node:path';
import test, {type ExecutionContext} from 'ava';
import {type Candidate, CandidateError, type TestBench} from '../engine/candidate.ts';
import {Journal} from '../engine/journal.ts';
import type {Change} from '../guests/config-changes.ts';
import {isSure} from '../report/bisect-report.ts';
import {searchConfig} from './config-search.ts';

type Options = {
	letters: string;
	culprits: string;
	isBroken?: (set: string) => boolean;
	isFixed?: boolean;
	/** Whether the nth attempt of a bad set, from 0, shows that. */
	shows?: (set: string, nth: number) => boolean;
	confidence?: number;
};

/**
 * Options are letters: a set is bad if it holds all of `culprits`, or with `isFixed` good then, and does not build if
 * `isBroken`.
 */
async function search(t: ExecutionContext, options: Options) {
	const {letters, culprits, isBroken = () => false, isFixed = false, shows = () => true, confidence = 0.5} = options;
	const {path: directory, remove} = await mkdtempDisposable(path.join(tmpdir(), 'config-search-'));
	t.teardown(remove);
	using journal = new Journal(path.join(directory, 'journal.jsonl'));
	const asked = new Map<string, number>();
	const testBench: TestBench = {
		async prepare({id}) {
			if (isBroken(id)) throw new CandidateError('does not build: error: no');
			return {fingerprint: id, isReused: false};
		},
		async ask({id}, repeats) {
			const isBad = culprits.split('').every(letter => id.includes(letter)) !== isFixed;
			const before = asked.get(id) ?? 0;
			asked.set(id, before + repeats);
			return Array.from({length: repeats}, (_, n) =>
				isBad && shows(id, before + n) ? {end: 'fail' as const, symptoms: ['x']} : {end: 'pass' as const, symptoms: []},
			);
		},
	};
	const changes = letters.split('').map((name): Change => ({name, bad: 'y', good: 'n'}));
	const candidateOf = (some: readonly Change[]): Candidate => {
		const id = some.map(({name}) => name).join('');
		return {id, title: id};
	};
	const {finding, verification} = await searchConfig(changes, {
		...{testBench, journal, candidateOf, confidence, isAnyFailure: false, isFixed, onStep() {}},
	});
	const result = {finding, verification, predicate: '', command: '', directory};
	return {finding, verification, isSure: isSure(result)};
}

test('the smallest set is found, and is sure if all other sets could be judged', async t => {
	const {finding, verification, isSure: sure} = await search(t, {letters: 'abcdefgh', culprits: 'cf'});
	t.is(finding.suspects[0]?.id, 'c f');
	t.true(verification.isConfirmed);
	t.true(sure);
});

for (const [letters, culprits] of [
	['abcdefgh', 'e'],
	['abcdefgh', 'cf'],
	['abcdefgh', 'adg'],
	['abcdefgh', 'h'],
	['ab', 'ab'],
	['a', 'a'],
] as const) {
	test(`the smallest set that mends the bug is found: ${culprits} of ${letters}`, async t => {
		const {finding, verification, isSure: sure} = await search(t, {letters, culprits, isFixed: true});
		t.is(finding.suspects[0]?.id, culprits.split('').join(' '));
		t.deepEqual([verification.parent.candidate.id, verification.commit.candidate.id], ['', culprits]);
		t.deepEqual(
			[verification.parent.verdict, verification.commit.verdict, verification.revert?.verdict],
			['bad', 'good', 'bad'],
		);
		t.true(sure);
	});
}

test('each set is one step, however often it is needed', async t => {
	const {finding} = await search(t, {letters: 'abcdefgh', culprits: 'cf'});
	const names = finding.steps.map(({role, candidate}) => `${role} ${candidate.id}`);
	t.deepEqual(names, [...new Set(names)]);
});

test('a set that does not build may hide a smaller bad one', async t => {
	const isBroken = (set: string) => set === 'c';
	const {finding, verification, isSure: sure} = await search(t, {letters: 'abcdefgh', culprits: 'c', isBroken});
	t.true(finding.suspects[0]!.id.split(' ').length > 1);
	t.regex(verification.doubt ?? '', /could not be judged: c\b/);
	t.false(verification.isConfirmed);
	t.false(sure);
});

test('a set that fails when it is proved takes the place of the larger one, also as the step that shows it', async t => {
	// Half of the attempts fail, but the smaller set only shows that late.
	const shows = (set: string, nth: number) => nth % 2 === 1 && (set !== 'a' || nth > 8);
	const {finding, verification} = await search(t, {letters: 'ab', culprits: 'a', shows, confidence: 0.99999});
	t.is(finding.suspects[0]?.id, 'a');
	t.is(verification.commit.candidate.id, 'a');
	t.is(verification.commit.verdict, 'bad');
});

test('when all options are needed, the good configuration is judged again', async t => {
	const {verification, isSure: sure} = await search(t, {letters: 'ab', culprits: 'ab'});
	t.deepEqual(
		[verification.parent, verification.commit, verification.revert].map(
			step => `${step?.candidate.id} ${step?.verdict}`,
		),
		[' good', 'ab bad', ' good'],
	);
	t.true(sure);
});

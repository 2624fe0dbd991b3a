// SPDX-License-Identifier: GPL-2.0
import test from 'ava';
import {probeMatrix, temporaryRuns} from '../test/fake-cli.ts';
import type {FakeRun} from '../test/fake-run.ts';

const before: FakeRun = {id: 'r1', cells: {'k a/b': 'pass', 'k a/c': 'fail', 'l a/b': 'pass'}};
const lost = {type: 'kernel', kernel: 'l', state: 'unavailable', reason: 'no network'} as const;
const ready = {type: 'kernel', kernel: 'k', state: 'ready'} as const;

const ends: readonly (readonly [what: string, after: FakeRun, exitCode: number, words: RegExp])[] = [
	['the same again', {cells: before.cells!}, 0, /no difference/],
	['a fix', {cells: {...before.cells, 'k a/c': 'pass'}}, 0, /fixed: 1/],
	['a new failure', {cells: {...before.cells, 'k a/b': 'crash'}}, 1, /new failures: 1\n {2}k a\/b +pass → crash/],
	['an interrupted run', {cells: before.cells!, isInterrupted: true}, 3, /interrupted/],
	[
		'a lost kernel',
		{cells: {'k a/b': 'pass', 'k a/c': 'fail'}, kernels: [ready, lost]},
		3,
		/became unusable: 1\n {2}l: unavailable; 1 cell ran before\n {4}no network$/,
	],
	['a kernel without any event', {cells: {'k a/b': 'pass', 'k a/c': 'fail'}}, 3, /gone: 1\n {2}l: 1/],
	['a case that is gone', {cells: {'k a/b': 'pass', 'l a/b': 'pass'}}, 0, /gone: 1/],
];
for (const [what, after, exitCode, words] of ends) {
	test(`comparing with ${what} exits with ${exitCode}`, async t => {
		t.timeout(90_000);
		await using runs = await temporaryRuns();
		const files = [await runs.file('a', before), await runs.file('b', {id: 'r2', ...after})];
		const ended = await probeMatrix('compare', ...files);
		t.is(ended.exitCode, exitCode, ended.stderr);
		t.regex(ended.stdout, words);
	});
}

test('runs of a history are compared by name, and never with themselves', async t => {
	t.timeout(90_000);
	await using runs = await temporaryRuns();
	runs.keep({id: 'r1', cells: {'k a/b': 'pass'}});
	const alone = await probeMatrix('compare', 'last-green', 'last', '--history', runs.history);
	t.is(alone.exitCode, 2);
	t.regex(alone.stderr, /^probe-matrix: The history holds 0 runs, none of them green/);
	runs.keep({id: 'r2', cells: {'k a/b': 'pass', 'k a/c': 'pass'}});
	const {exitCode, stdout} = await probeMatrix('compare', 'last-green', 'last', '--history', runs.history);
	t.is(exitCode, 0);
	t.regex(stdout, /^before {2}r1 .*\nafter {3}r2 /);
});

test('a name requires --history, and the history must have runs', async t => {
	t.timeout(90_000);
	await using runs = await temporaryRuns();
	const none = await probeMatrix('compare', 'last-green', 'last');
	t.is(none.exitCode, 2);
	t.regex(none.stderr, /^probe-matrix: There is no file last\. .* needs --history DIR\.$/);
	const empty = await probeMatrix('compare', 'last-green', 'last', '--history', runs.path);
	t.is(empty.exitCode, 2);
	t.regex(empty.stderr, /^probe-matrix: There is no history in /);
	t.is((await probeMatrix('compare', 'last')).exitCode, 2);
});

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

test('with a history, the runs before both tell what is slower, and not those in between', async t => {
	t.timeout(90_000);
	await using runs = await temporaryRuns();
	const lasting = (...durationsMs: readonly number[]) => ({
		cells: {'k a/b': durationsMs.map(durationMs => ({durationMs}))},
	});
	const fast = [100, 101, 102, 103, 104];
	const slow = [200, 201, 202, 203, 204];
	for (const id of ['r1', 'r2', 'r3']) runs.keep({id, ...lasting(...fast)});
	runs.keep({id: 'r4', ...lasting(100)});
	for (const id of ['r5', 'r6', 'r7', 'r8', 'r9']) runs.keep({id, ...lasting(...slow)});
	const slower = /slower: 1\n {2}k a\/b +0\.10 s → 0\.20 s/;
	const {exitCode, stdout, stderr} = await probeMatrix('compare', 'r4', 'r9', '--history', runs.history);
	t.regex(stdout, slower);
	t.is(exitCode, 0, stderr);
	// The one before it alone is too few to tell.
	const first = await probeMatrix(
		'compare',
		await runs.file('a', {id: 'r4', ...lasting(100)}),
		await runs.file('b', {id: 'r9', ...lasting(...slow)}),
	);
	t.regex(first.stdout, /no difference/);
	t.regex((await probeMatrix('compare', 'r8', 'r9', '--history', runs.history)).stdout, /no difference/);
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

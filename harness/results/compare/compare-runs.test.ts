// SPDX-License-Identifier: GPL-2.0
import test from 'ava';
import {asText, type FakeRun, fakeRun} from '../../test/fake-run.ts';
import {cellTitle} from '../run/cell-name.ts';
import type {CellEvent} from '../run/events.ts';
import {parseRun} from '../run/read-run.ts';
import {type Comparison, compareRuns} from './compare-runs.ts';

const run = (cells: FakeRun['cells']) => parseRun(asText(fakeRun({...(cells && {cells})})), 'x');
const said = (message: string): [Partial<CellEvent>] => [{verdict: 'fail', message}];
const took = (...times: readonly number[]) => times.map(durationMs => ({durationMs}));

/** The titles in each list that is not empty. */
function titles(comparison: Comparison): Record<string, string[]> {
	const lists = Object.entries(comparison).map(
		([name, cells]) => [name, cells.map(each => ('cells' in each ? each.kernel : cellTitle(each)))] as const,
	);
	return Object.fromEntries(lists.filter(([, cells]) => cells.length > 0));
}

const changes: readonly (readonly [what: string, before: FakeRun['cells'], after: FakeRun['cells'], list?: string])[] =
	[
		['a cell that still passes is no change', {'k a/b': 'pass'}, {'k a/b': 'pass'}],
		['a cell that still fails is no change', {'k a/b': 'fail'}, {'k a/b': 'fail'}],
		['a cell that starts to fail is a new failure', {'k a/b': 'pass'}, {'k a/b': 'fail'}, 'newFailures'],
		['a cell that starts to hang is a new failure', {'k a/b': 'skip'}, {'k a/b': 'hang'}, 'newFailures'],
		['a failure that became a crash is a new failure', {'k a/b': 'fail'}, {'k a/b': 'crash'}, 'newFailures'],
		['a hang that became a crash is a new failure', {'k a/b': 'hang'}, {'k a/b': 'crash'}, 'newFailures'],
		['a crash that became a failure has another message', {'k a/b': 'crash'}, {'k a/b': 'fail'}, 'changedMessages'],
		['a new cell that fails is a new failure', {}, {'k a/b': 'fail'}, 'newFailures'],
		['a new cell that passes is added', {}, {'k a/b': 'pass'}, 'added'],
		['a cell that failed and now passes is fixed', {'k a/b': 'crash'}, {'k a/b': 'pass'}, 'fixed'],
		['a cell that did not run is missing', {'k a/b': 'fail'}, {}, 'missing'],
		['a cell that is now skipped is a new skip', {'k a/b': 'pass'}, {'k a/b': 'skip'}, 'newSkips'],
		['a failure that could not run again is not fixed', {'k a/b': 'fail'}, {'k a/b': 'infra'}, 'newSkips'],
		['a skip that is inconclusive is no change', {'k a/b': 'skip'}, {'k a/b': 'inconclusive'}],
		['one failure among ten repeats is a new failure', {'k a/b': ['pass']}, {'k a/b': ['pass', 'fail']}, 'newFailures'],
		['an inconclusive repeat does not count', {'k a/b': ['pass']}, {'k a/b': ['pass', 'inconclusive']}],
		['a different message is a change', {'k a/b': said('1 call')}, {'k a/b': said('2 calls')}, 'changedMessages'],
		[
			'a different address is no change',
			{'k a/b': said('at ffffffffc0262720')},
			{'k a/b': said('at ffffffffc0111720')},
		],
		[
			'cells of different kernels are compared separately',
			{'k a/b': 'fail', 'l a/b': 'pass'},
			{'k a/b': 'fail', 'l a/b': 'fail'},
			'newFailures',
		],
	];
for (const [what, before, after, list] of changes) {
	test(what, t => {
		t.deepEqual(titles(compareRuns(run(before), run(after))), list ? {[list]: ['a/b']} : {});
	});
}

test('repeats are counted', t => {
	const {newFailures} = compareRuns(run({'k a/b[c]': 'pass'}), run({'k a/b[c]': ['fail', 'pass', 'pass', 'infra']}));
	t.like(newFailures[0], {kernel: 'k', target: 'c', before: {passes: 1, total: 1}, after: {passes: 2, total: 3}});
});

test('a single slow repeat is not reported as slower, whatever the history', t => {
	const history = () => Array.from({length: 50}, () => 100);
	t.deepEqual(titles(compareRuns(run({'k a/b': took(100)}), run({'k a/b': took(5000)}), history)), {});
});

test('a cell is slower if all repeats are slower than before', t => {
	const before = run({'k a/b': took(100, 110, 90, 105, 95, 100, 108, 93)});
	const after = run({'k a/b': took(150, 160, 149, 155, 151, 148, 170, 158)});
	t.deepEqual(titles(compareRuns(before, after)), {slower: ['a/b']});
	t.deepEqual(titles(compareRuns(after, before)), {});
});

test('a history of durations makes a difference significant', t => {
	const [before, after] = [run({'k a/b': took(100)}), run({'k a/b': took(150, 160, 149, 155, 151)})];
	t.deepEqual(titles(compareRuns(before, after)), {});
	const history = () => [100, 110, 90, 105, 95, 100, 108, 93, 101, 99, 97, 103, 96, 104, 102];
	t.deepEqual(titles(compareRuns(before, after, history)), {slower: ['a/b']});
});

test('a significant but small difference is not reported', t => {
	const many = (base: number) => took(...Array.from({length: 30}, (_, n) => base + (n % 3)));
	t.deepEqual(titles(compareRuns(run({'k a/b': many(1000)}), run({'k a/b': many(1050)}))), {});
});

test('a lost kernel is reported once for all its cells, and so is a regained one', t => {
	const lost = {type: 'kernel', kernel: 'k', state: 'failed', reason: 'no', notRun: 1} as const;
	const ready = {type: 'kernel', kernel: 'k', state: 'ready'} as const;
	const whole = {cells: {'k a/b': 'pass', 'k a/c': 'fail', 'k a/d': 'pass', 'l a/b': 'pass'}} as const;
	const broken = {cells: {'k a/d': 'fail'}, kernels: [ready, lost]} as const;
	const read = (each: FakeRun) => parseRun(asText(fakeRun(each)), 'x');
	const after = compareRuns(read(whole), read(broken));
	t.deepEqual(titles(after), {newFailures: ['a/d'], lostKernels: ['k'], missing: ['a/b']});
	t.like(after.lostKernels[0], {reason: 'no', cells: 2});
	const back = compareRuns(read(broken), read(whole));
	t.deepEqual(titles(back), {newFailures: ['a/c'], regainedKernels: ['k'], fixed: ['a/d'], added: ['a/b']});
	t.is(back.regainedKernels[0]?.cells, 1);
});

test('durations of the run before count beside those of the history', t => {
	const history = () => [100, 110, 90, 105, 95, 100, 108, 93, 101, 99, 97, 103, 96, 104, 102];
	const slow = run({'k a/b': took(150, 160, 149, 155, 151)});
	const before = run({'k a/b': took(...Array.from({length: 30}, () => 155))});
	t.deepEqual(titles(compareRuns(before, slow, history)), {});
});

test('a new cell that is skipped is added', t => {
	t.deepEqual(titles(compareRuns(run({}), run({'k a/b': 'skip'}))), {added: ['a/b']});
});

test('a changed cell of another mechanism is named with it', t => {
	const other = {mechanism: 'kprobe', alternative: true} as const;
	const after = run({'k a/b': [{verdict: 'fail', ...other}]});
	t.deepEqual(titles(compareRuns(run({'k a/b': [{verdict: 'pass', ...other}]}), after)), {newFailures: ['a/b@kprobe']});
});

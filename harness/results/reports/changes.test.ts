// SPDX-License-Identifier: GPL-2.0
import test from 'ava';
import {asText, type FakeRun, fakeRun} from '../../test/fake-run.ts';
import {compareRuns} from '../compare/compare-runs.ts';
import {parseRun} from '../run/read-run.ts';
import {changeGroups, nightGroups} from './changes.ts';

const run = (cells: NonNullable<FakeRun['cells']>) => parseRun(asText(fakeRun({cells})), 'x');

const groupsOf = (before: NonNullable<FakeRun['cells']>, after: NonNullable<FakeRun['cells']>) =>
	changeGroups(compareRuns(run(before), run(after))).map(
		({title, cells}) => `${title}: ${cells.map(({kernel, name, words}) => `${kernel} ${name} ${words}`).join('; ')}`,
	);

test('changes are in groups, the worst first, each with verdicts and the message that is true now', t => {
	const failed = (message: string) => [{verdict: 'fail', message}] as const;
	t.deepEqual(
		groupsOf(
			{
				'k a/fixed': failed('2 !== 3\nand more'),
				'k a/gone': failed('1 !== 2'),
				'k a/other': failed('4 !== 5'),
				'k a/broken': 'pass',
				'k a/sometimes': ['pass', 'pass'],
			},
			{
				'k a/fixed': 'pass',
				'k a/other': failed('6 !== 7'),
				'k a/broken': failed('8 !== 9\nand more'),
				'k a/sometimes': ['pass', {verdict: 'fail', message: 'now and then'}],
				'k a/new': 'pass',
			},
		),
		[
			'New failures: k a/broken pass → fail: 8 !== 9; k a/sometimes pass → fail (1 of 2 passed): now and then',
			'Fail in another way: k a/other fail → fail: 6 !== 7',
			'No longer there: k a/gone fail: 1 !== 2',
			'Fixed: k a/fixed fail → pass',
			'New: k a/new pass',
		],
	);
});

test('a slower cell has both times and their ratio', t => {
	const took = (...times: readonly number[]) => times.map(durationMs => ({durationMs}));
	const groups = groupsOf(
		{'k a/b': took(100, 110, 90, 105, 95, 100, 108, 93)},
		{'k a/b': took(250, 260, 249, 255, 251, 248, 270, 258)},
	);
	t.deepEqual(groups, ['Slower: k a/b 100 ms → 253 ms (× 2.5)']);
});

test('cells of other mechanisms than the first are told apart', t => {
	const by = (mechanism: string, verdict: 'pass' | 'fail') =>
		[{mechanism, verdict, ...(mechanism !== 'bprobe' && {alternative: true as const})}] as const;
	const [group] = changeGroups(compareRuns(run({'k a/b': by('kprobe', 'pass')}), run({'k a/b': by('kprobe', 'fail')})));
	t.deepEqual(
		group!.cells.map(({name}) => name),
		['a/b@kprobe'],
	);
});

test('findings of a night are in groups, the worst first', t => {
	const groups = nightGroups([
		{kind: 'idle', words: 'a/z*'},
		{kind: 'flaky', kernel: 'k', cell: 'a/b', words: '1 of 10'},
		{kind: 'kernel', kernel: 'l', words: 'it does not boot'},
		{kind: 'crash', kernel: 'k', cell: 'a/c', words: 'BUG'},
	]);
	t.deepEqual(
		groups.map(({title, cells}) => [title, ...cells.map(({kernel, name, words}) => `${kernel}, ${name}: ${words}`)]),
		[
			['New crashes', 'k, a/c: BUG'],
			['Kernels that could not run', 'l, all of it: it does not boot'],
			['Flaky', 'k, a/b: 1 of 10'],
			['Known failures that match no cell', 'any, all of it: a/z*'],
		],
	);
});

test('a lost kernel has the first line of its reason, and a regained one the state that it had', t => {
	const lost = {type: 'kernel', kernel: 'k', state: 'failed', reason: ' it died\nand more', notRun: 1} as const;
	const read = (each: FakeRun) => parseRun(asText(fakeRun(each)), 'x');
	const [whole, broken] = [read({cells: {'k a/b': 'pass'}}), read({kernels: [lost]})];
	t.deepEqual(changeGroups(compareRuns(whole, broken)), [
		{title: 'Kernels that became unusable', cells: [{kernel: 'k', name: '1 cell', words: 'failed: it died'}]},
	]);
	t.deepEqual(changeGroups(compareRuns(broken, whole)), [
		{title: 'Kernels that are usable again', cells: [{kernel: 'k', name: '1 cell', words: 'failed before'}]},
	]);
});

test('of a cell that failed sometimes, the repeats that passed are counted', t => {
	t.deepEqual(groupsOf({'k a/b': 'pass'}, {'k a/b': ['pass', {verdict: 'fail', message: 'no'}, 'pass', 'pass']}), [
		'New failures: k a/b pass → fail (3 of 4 passed): no',
	]);
});

test('a cell that took no time before has a ratio, too', t => {
	const took = (durationMs: number) => Array.from({length: 10}, () => ({durationMs}));
	t.deepEqual(groupsOf({'k a/b': took(0)}, {'k a/b': took(50)}), ['Slower: k a/b 0 ms → 50 ms (× 50.0)']);
});

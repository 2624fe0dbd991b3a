// SPDX-License-Identifier: GPL-2.0
import test from 'ava';
import {UsageError} from '../../host/errors.ts';
import {asText, type FakeRun, fakeRun} from '../../test/fake-run.ts';
import {eventsOf, mergeRuns, type NamedRun} from './merge-runs.ts';
import {parseRun} from './read-run.ts';

const parts = [['k', 'm'], ['l'], []];
const named = (name: string, run: FakeRun): NamedRun => ({
	name,
	record: parseRun(asText(fakeRun({id: `20260101T00000${name}Z-0000`, ...run})), name),
});
const one = named('1', {cells: {'k a/b': 'pass', 'm a/b': 'fail'}, run: {shard: {index: 1, parts}}});
const two = named('2', {cells: {'l a/b': ['pass', 'pass']}, run: {shard: {index: 2, parts}}});

test('shards merge into one run in any order', t => {
	const {record, missing, exitCode} = mergeRuns([two, one]);
	t.deepEqual(missing, []);
	t.is(exitCode, 1);
	t.like(record, {isInterrupted: false, end: {exitCode: 1, counts: {pass: 3, fail: 1}}});
	t.like(record.run, {id: '20260101T000001Z-0000-merged', command: 'merge', cells: 4});
	t.false('shard' in record.run);
	t.deepEqual(parseRun(asText(eventsOf(record)), 'x'), record);
});

test('a missing shard is named and makes the exit status 3', t => {
	const {record, missing, exitCode} = mergeRuns([two]);
	t.deepEqual(missing, [{index: 1, kernels: ['k', 'm']}]);
	t.is(exitCode, 3);
	t.true(record.isInterrupted);
});

test('an interrupted shard makes the merged run interrupted', t => {
	const cut = named('2', {cells: {}, run: {shard: {index: 2, parts}}, isInterrupted: true});
	const {record, interrupted} = mergeRuns([one, cut]);
	t.true(record.isInterrupted);
	t.deepEqual(interrupted, ['2']);
});

test('an expected kernel that no shard has is named and makes the exit status 3', t => {
	const runs = [named('1', {cells: {'k a/b': 'pass'}}), named('2', {cells: {'l a/b': 'pass'}})];
	const {record, lost, exitCode} = mergeRuns(runs, {expected: ['k', 'l', 'm']});
	t.deepEqual([lost, exitCode, record.isInterrupted], [['m'], 3, true]);
	t.like(mergeRuns(runs, {expected: ['l', 'k']}), {lost: [], exitCode: 0, record: {isInterrupted: false}});
});

test('runs of different kernels merge without shards, too', t => {
	t.is(mergeRuns([named('1', {cells: {'k a/b': 'pass'}}), named('2', {cells: {'l a/b': 'pass'}})]).exitCode, 0);
});

test('an unavailable kernel in a shard makes the exit status 3', t => {
	const lost = named('2', {kernels: [{type: 'kernel', kernel: 'l', state: 'unavailable'}]});
	t.is(mergeRuns([named('1', {cells: {'k a/b': 'pass'}}), lost]).exitCode, 3);
});

const other: readonly (readonly [what: string, run: FakeRun, message: RegExp])[] = [
	['another version of QEMU', {run: {versions: {node: 'v24', qemu: '9'}}}, /1 was made with qemu 10, 2 with 9/],
	['a run without a version', {run: {versions: {node: 'v24'}}}, /2 with \(unknown\)/],
	['other parts', {run: {shard: {index: 2, parts: [['k'], ['l', 'm']]}}}, /1 and 2 were sharded differently/],
	['no parts', {}, /1 and 2 were sharded differently/],
	['the same shard', {run: {shard: {index: 1, parts}}}, /Both 1 and 2 hold shard 1/],
	[
		'the same cell',
		{cells: {'k a/b': 'pass'}, run: {shard: {index: 2, parts}}},
		/Both 1 and 2 hold k bprobe a\/b, repeat 0/,
	],
];
for (const [what, run, message] of other) {
	test(`${what} cannot be merged with the first run`, t => {
		t.throws(() => mergeRuns([one, named('2', run)]), {instanceOf: UsageError, message});
	});
}

test('measurements are merged', t => {
	const measurement = {type: 'measurement', kernel: 'k', what: 'boot', unit: 'ms', budget: 1, values: [2]} as const;
	const {record} = one;
	const {record: merged} = mergeRuns([two, {name: '1', record: {...record, measurements: [measurement]}}]);
	t.deepEqual(parseRun(asText(eventsOf(merged)), 'x').measurements, [measurement]);
});

test('merging no runs throws', t => {
	t.throws(() => mergeRuns([]), {instanceOf: UsageError});
});

test('cells that did not run are added up, and the exit status is 3', t => {
	const failed = {type: 'kernel', kernel: 'l', state: 'failed', reason: 'no', notRun: 5} as const;
	const lost = {type: 'kernel', kernel: 'm', state: 'unavailable', reason: 'no', notRun: 2} as const;
	const runs = [named('1', {cells: {'k a/b': 'pass'}}), named('2', {kernels: [failed]}), named('3', {kernels: [lost]})];
	const {record, exitCode} = mergeRuns(runs);
	t.is(exitCode, 3);
	t.like(record, {isInterrupted: false, end: {counts: {pass: 1}, notRun: 7, exitCode: 3}});
});

test('shards ran at the same time: the merged run took as long as the longest', t => {
	const lasting = (index: number, durationMs: number): NamedRun => {
		const {name, record} = index === 1 ? one : two;
		return {name, record: {...record, end: {...record.end!, durationMs}}};
	};
	t.is(mergeRuns([lasting(1, 7000), lasting(2, 5000)]).record.end?.durationMs, 7000);
});

test('the merged run has the suites and targets of all shards, in order', t => {
	const ordered = ({name, record}: NamedRun, suites: readonly string[]): NamedRun => ({
		name,
		record: {...record, run: {...record.run, order: {suites, targets: ['asm']}}},
	});
	t.deepEqual(mergeRuns([ordered(one, ['a', 'b']), ordered(two, ['b', 'c'])]).record.run.order, {
		suites: ['a', 'b', 'c'],
		targets: ['asm'],
	});
});

test('a version that only a later run tells makes it another run', t => {
	const run = {shard: {index: 2, parts}, versions: {node: 'v24', qemu: '10', agent: 'abc'}};
	t.throws(() => mergeRuns([one, named('2', {run})]), {
		instanceOf: UsageError,
		message: /1 was made with agent \(unknown\), 2 with abc/,
	});
});

// SPDX-License-Identifier: GPL-2.0
import {mkdtempDisposable} from 'node:fs/promises';
import {tmpdir} from 'node:os';
import path from 'node:path';
import test from 'ava';
import {asText, fakeRun} from '../../test/fake-run.ts';
import type {Event, MeasurementEvent} from '../run/events.ts';
import {parseRun} from '../run/read-run.ts';
import {findRun} from './find-run.ts';
import {HistoryLog} from './history-log.ts';
import {HistoryStore} from './store.ts';
import {trendsOf} from './trends.ts';

const measurement = (what: string, values: readonly number[], kernel = 'k'): MeasurementEvent => ({
	type: 'measurement',
	kernel,
	what,
	unit: 'ms',
	budget: 250,
	values,
});

function bench(id: string, ...measurements: readonly MeasurementEvent[]): readonly Event[] {
	const [run, end] = fakeRun({id, run: {command: 'bench'}});
	return [run!, ...measurements, end!];
}

async function keep(directory: string, events: readonly Event[]) {
	const log = new HistoryLog(directory, {
		onTrouble(sentence) {
			throw new Error(sentence);
		},
	});
	for (const event of events) log.write(event);
	log.close();
}

test('benches in a history become trends: medians, oldest first, by kernel', async t => {
	await using directory = await mkdtempDisposable(path.join(tmpdir(), 'trends-'));
	await keep(directory.path, bench('r3', measurement('boot', [30, 10, 20]), measurement('restore', [5])));
	await keep(directory.path, bench('r1', measurement('boot', [7]), measurement('boot', [8], 'a')));
	using store = await HistoryStore.open(directory.path);
	t.deepEqual(
		trendsOf(store.measured()).map(({kernel, what, unit, budget, points}) => ({kernel, what, unit, budget, points})),
		[
			{kernel: 'a', what: 'boot', unit: 'ms', budget: 250, points: [{run: 'r1', value: 8}]},
			{
				kernel: 'k',
				what: 'boot',
				unit: 'ms',
				budget: 250,
				points: [
					{run: 'r1', value: 7},
					{run: 'r3', value: 20},
				],
			},
			{kernel: 'k', what: 'restore', unit: 'ms', budget: 250, points: [{run: 'r3', value: 5}]},
		],
	);
	await store.remove('r3');
	t.is(store.measured().length, 2);
});

test('a bench is neither the last nor the last green run', async t => {
	await using directory = await mkdtempDisposable(path.join(tmpdir(), 'trends-'));
	await keep(directory.path, fakeRun({id: 'r1', cells: {'k a/b': 'pass'}}));
	await keep(directory.path, bench('r2', measurement('boot', [1])));
	using store = await HistoryStore.open(directory.path);
	t.like(store.runs()[1], {id: 'r2', command: 'bench', exitCode: 0});
	t.is(findRun(store, 'last').id, 'r1');
	t.is(findRun(store, 'last-green').id, 'r1');
});

test('measurements of a file are added to the trends unless the history has them', t => {
	const kept = [{run: 'r2', kernel: 'k', what: 'boot', unit: 'ms', budget: 250, value: 2}];
	const records = ['r1', 'r2', 'r3'].map(id => parseRun(asText(bench(id, measurement('boot', [1]))), id));
	const [trend] = trendsOf(kept, records);
	t.deepEqual(trend!.points, [
		{run: 'r1', value: 1},
		{run: 'r2', value: 2},
		{run: 'r3', value: 1},
	]);
});

test('a trend has at most thirty points, and the budget of the last one', t => {
	const kept = Array.from({length: 40}, (_, n) => ({
		run: `r${100 + n}`,
		kernel: 'k',
		what: 'boot',
		unit: 'ms',
		budget: n,
		value: n,
	}));
	const [trend] = trendsOf(kept);
	t.is(trend!.points.length, 30);
	t.deepEqual(trend!.points.at(-1), {run: 'r139', value: 39});
	t.is(trend!.budget, 39);
});

test('measurements in different units are different trends', t => {
	const kept = ['ms', 'us'].map(unit => ({run: 'r1', kernel: 'k', what: 'boot', unit, value: 1}));
	t.deepEqual(
		trendsOf(kept).map(({unit, points}) => [unit, points.length]),
		[
			['ms', 1],
			['us', 1],
		],
	);
});

test('the value of a file is the median of what it measured, and its budget is kept', t => {
	const record = parseRun(asText(bench('r1', measurement('boot', [90, 10, 20]))), 'r1');
	t.deepEqual(trendsOf([], [record]), [
		{kernel: 'k', what: 'boot', unit: 'ms', budget: 250, points: [{run: 'r1', value: 20}]},
	]);
});

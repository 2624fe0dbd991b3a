// SPDX-License-Identifier: GPL-2.0
import test from 'ava';
import {UsageError} from '../../host/errors.ts';
import type {StoredRun} from './index-rows.ts';
import {pruneHistory} from './prune.ts';
import type {HistoryStore} from './store.ts';

const dayMs = 86_400_000;

/** One run per day, the last one today. */
function daily(runs: readonly Partial<StoredRun>[], removed: string[] = []): HistoryStore {
	const all = runs.map((run, n) => ({
		id: `r${n}`,
		startedAt: new Date((100 - runs.length + n) * dayMs).toISOString(),
		command: 'run',
		isShard: false,
		isRunning: false,
		isGreen: false,
		...run,
	}));
	return {
		runs: () => all,
		async remove(id: string) {
			removed.push(id);
		},
	} as unknown as HistoryStore;
}

/** Ten runs, of which only the third is green and the fifth is in progress. */
const store = daily(Array.from({length: 10}, (_, n) => ({isGreen: n === 2, isRunning: n === 4})));
const now = 99 * dayMs;

test('the newest runs, the last green one and runs in progress are kept', async t => {
	t.deepEqual(await pruneHistory(store, {keep: 5, now}), ['r0', 'r1', 'r3']);
	t.deepEqual(await pruneHistory(store, {keep: 20, now}), []);
});

test('runs older than the limit are removed', async t => {
	t.deepEqual(await pruneHistory(store, {olderThanDays: 5, now}), ['r0', 'r1', 'r3']);
});

const isGreen = true;

test('neither a bench nor a shard counts as the last green run', async t => {
	const runs = daily([{isGreen}, {isGreen, isShard: true}, {isGreen, command: 'bench'}, {}]);
	t.deepEqual(await pruneHistory(runs, {keep: 1, now}), ['r1', 'r2']);
});

test('the last green nightly is kept although a later run is green, because nights are compared with nights', async t => {
	const runs = daily([{isGreen, command: 'nightly'}, {command: 'nightly'}, {isGreen}, {isGreen}, {}]);
	t.deepEqual(await pruneHistory(runs, {keep: 1, now}), ['r1', 'r2']);
});

test('without a limit nothing is removed', async t => {
	await t.throwsAsync(pruneHistory(store, {}), {instanceOf: UsageError});
});

test('a run that is as old as the limit is kept', async t => {
	t.deepEqual(await pruneHistory(daily([{}, {}, {}]), {olderThanDays: 2, now}), []);
	t.deepEqual(await pruneHistory(daily([{}, {}, {}]), {olderThanDays: 1, now}), ['r0']);
});

test('with both limits a run is removed that is beyond either', async t => {
	const runs = [{}, {}, {}, {}];
	t.deepEqual(await pruneHistory(daily(runs), {keep: 1, olderThanDays: 100, now}), ['r0', 'r1', 'r2']);
	t.deepEqual(await pruneHistory(daily(runs), {keep: 4, olderThanDays: 1, now}), ['r0', 'r1']);
});

test('what is said to be removed is removed from the history, and nothing else', async t => {
	const removed: string[] = [];
	const ids = await pruneHistory(daily([{}, {isGreen}, {}, {}], removed), {keep: 1, now});
	t.deepEqual(removed, ['r0', 'r2']);
	t.deepEqual(ids, removed);
});

import test from 'ava';
import {UsageError} from '../../host/errors.ts';
import type {StoredRun} from './index-rows.ts';
import {pruneHistory} from './prune.ts';
import type {HistoryStore} from './store.ts';

const dayMs = 86_400_000;

/** A run a day, the last one today. */
function daily(runs: readonly Partial<StoredRun>[]): HistoryStore {
	const all = runs.map((run, n) => ({
		id: `r${n}`,
		startedAt: new Date((100 - runs.length + n) * dayMs).toISOString(),
		command: 'run',
		isShard: false,
		isRunning: false,
		isGreen: false,
		...run,
	}));
	return {runs: () => all, async remove() {}} as unknown as HistoryStore;
}

/** Ten runs, of which only the third is green and the fifth goes on. */
const store = daily(Array.from({length: 10}, (_, n) => ({isGreen: n === 2, isRunning: n === 4})));
const now = 99 * dayMs;

test('the newest stay, and the last green one, and one that goes on still', async t => {
	t.deepEqual(await pruneHistory(store, {keep: 5, now}), ['r0', 'r1', 'r3']);
	t.deepEqual(await pruneHistory(store, {keep: 20, now}), []);
});

test('those that are older go', async t => {
	t.deepEqual(await pruneHistory(store, {olderThanDays: 5, now}), ['r0', 'r1', 'r3']);
});

const isGreen = true;

test('neither a bench nor a part of a run that ended with 0 stands for the last green run', async t => {
	const runs = daily([{isGreen}, {isGreen, isShard: true}, {isGreen, command: 'bench'}, {}]);
	t.deepEqual(await pruneHistory(runs, {keep: 1, now}), ['r1', 'r2']);
});

test('the last green night stays although a later run is green: nights are compared with nights', async t => {
	const runs = daily([{isGreen, command: 'nightly'}, {command: 'nightly'}, {isGreen}, {isGreen}, {}]);
	t.deepEqual(await pruneHistory(runs, {keep: 1, now}), ['r1', 'r2']);
});

test('without a word of what is old nothing goes', async t => {
	await t.throwsAsync(pruneHistory(store, {}), {instanceOf: UsageError});
});

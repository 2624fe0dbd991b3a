import test from 'ava';
import {UsageError} from '../host/errors.ts';
import {pruneHistory} from './prune.ts';
import type {HistoryStore} from './store.ts';

const dayMs = 86_400_000;
/** Ten runs, one a day, the last one today; only the third is green. */
const runs = Array.from({length: 10}, (_, n) => ({
	id: `r${n}`,
	startedAt: new Date((90 + n) * dayMs).toISOString(),
	isGreen: n === 2,
	isShard: false,
	isRunning: n === 4,
}));
const store = {runs: () => runs, async remove() {}} as unknown as HistoryStore;
const now = 99 * dayMs;

test('the newest stay, and the last green one, and one that goes on still', async t => {
	t.deepEqual(await pruneHistory(store, {keep: 5, now}), ['r0', 'r1', 'r3']);
	t.deepEqual(await pruneHistory(store, {keep: 20, now}), []);
});

test('those that are older go', async t => {
	t.deepEqual(await pruneHistory(store, {olderThanDays: 5, now}), ['r0', 'r1', 'r3']);
});

test('without a word of what is old nothing goes', async t => {
	await t.throwsAsync(pruneHistory(store, {}), {instanceOf: UsageError});
});

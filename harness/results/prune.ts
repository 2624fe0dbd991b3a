import {UsageError} from '../host/errors.ts';
import type {HistoryStore} from './store.ts';

export type PruneOptions = {
	/** How many runs stay, the newest. */
	readonly keep?: number;
	readonly olderThanDays?: number;
	readonly now?: number;
};

const dayMs = 86_400_000;

/** Removes old runs and returns their ids. The last green run stays: later ones are compared with it. */
export async function pruneHistory(store: HistoryStore, options: PruneOptions): Promise<readonly string[]> {
	const {keep, olderThanDays, now = Date.now()} = options;
	if (keep === undefined && olderThanDays === undefined)
		throw new UsageError('What is old? Say it by --keep or --older-than.');
	const runs = store.runs();
	const green = runs.findLast(({isGreen, isShard}) => isGreen && !isShard);
	const old = runs.filter(
		({startedAt, isRunning}, index) =>
			!isRunning &&
			((keep !== undefined && index < runs.length - keep) ||
				(olderThanDays !== undefined && Date.parse(startedAt) < now - olderThanDays * dayMs)),
	);
	const ids = old.filter(({id}) => id !== green?.id).map(({id}) => id);
	for (const id of ids) await store.remove(id);
	return ids;
}

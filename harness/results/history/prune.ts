// SPDX-License-Identifier: GPL-2.0
import {UsageError} from '../../host/errors.ts';
import {isComparable} from './index-rows.ts';
import type {HistoryStore} from './store.ts';

export type PruneOptions = {
	/** Number of newest runs to keep. */
	readonly keep?: number;
	readonly olderThanDays?: number;
	readonly now?: number;
};

const dayMs = 86_400_000;

/**
 * Removes old runs and returns their ids. The last green run of each command is kept: later runs are compared with it,
 * and nights only with nights. Throws UsageError without `keep` and `olderThanDays`.
 */
export async function pruneHistory(store: HistoryStore, options: PruneOptions): Promise<readonly string[]> {
	const {keep, olderThanDays, now = Date.now()} = options;
	if (keep === undefined && olderThanDays === undefined) throw new UsageError('Specify --keep or --older-than.');
	const runs = store.runs();
	const green = runs.filter(run => run.isGreen && isComparable(run));
	// A later entry with the same key replaces an earlier one.
	const kept = new Set(new Map(green.map(({command, id}) => [command, id])).values());
	const old = runs.filter(
		({startedAt, isRunning}, index) =>
			!isRunning &&
			((keep !== undefined && index < runs.length - keep) ||
				(olderThanDays !== undefined && Date.parse(startedAt) < now - olderThanDays * dayMs)),
	);
	const ids = old.filter(({id}) => !kept.has(id)).map(({id}) => id);
	for (const id of ids) await store.remove(id);
	return ids;
}

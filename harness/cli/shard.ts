// SPDX-License-Identifier: GPL-2.0
import {existsSync} from 'node:fs';
import path from 'node:path';
import {InvalidArgumentError} from 'commander';
import {cutShards} from '../engine/shards.ts';
import type {Shard} from '../results/run/events.ts';
import {readRun} from '../results/run/read-run.ts';
import {openHistory} from './history.ts';

export type ShardChoice = {readonly index: number; readonly count: number};

/** Parses `i/n`, for example `2/5`. Throws InvalidArgumentError. */
export function parseShard(text: string): ShardChoice {
	const [, index, count] = (/^(\d{1,4})\/(\d{1,4})$/.exec(text) ?? []).map(Number);
	if (!index || !count || index > count) throw new InvalidArgumentError('It must be i/n, as in 1/3, 2/3 or 3/3.');
	return {index, count};
}

/**
 * Durations come from a past run or a history, never from the cache of this host, because all shards must be cut alike
 * on every host. Runs of single shards do not count either: one that ends early would change the cut for one that
 * starts late.
 */
export async function chooseShard(
	{index, count}: ShardChoice,
	kernels: readonly string[],
	{history, timings}: {history?: string | undefined; timings?: string | undefined},
): Promise<Shard> {
	if (timings !== undefined) {
		const past = Map.groupBy((await readRun(timings)).cells, ({kernel}) => kernel);
		const expectedMs = (kernel: string) => past.get(kernel)?.reduce((sum, {durationMs}) => sum + durationMs, 0);
		return {index, parts: cutShards(kernels, count, expectedMs)};
	}
	using store =
		history !== undefined && existsSync(path.join(history, 'runs')) ? await openHistory(history) : undefined;
	return {index, parts: cutShards(kernels, count, kernel => store?.kernelMs(kernel))};
}

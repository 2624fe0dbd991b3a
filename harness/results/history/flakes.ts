// SPDX-License-Identifier: GPL-2.0
import type {CellName} from '../run/events.ts';
import {isFailure} from '../run/verdict.ts';
import type {CellHistory, StoredResult} from './index-rows.ts';

export type CellStatistics = CellName & {
	readonly passes: number;
	/** Repeats with a verdict on the module, in all runs. */
	readonly total: number;
	/** 95 % confidence interval of the pass rate. */
	readonly interval: Interval;
	readonly firstSeen: string;
	readonly lastSeen: string;
	/**
	 * `broken`: it no longer passes, and chance does not explain that; `flaky`: it fails sometimes; `fixed`: it was
	 * broken; `unknown`: no run has a verdict.
	 */
	readonly status: 'steady' | 'flaky' | 'fixed' | 'broken' | 'unknown';
	/** The first run of the last streak in which it was broken. */
	readonly brokenSince?: string;
	/** Share of failed repeats in runs in which it was not broken: the rate to expect. */
	readonly failureRate: number;
};

export type Interval = {readonly low: number; readonly high: number};

/**
 * Significance level: a streak of failures means `broken` if chance alone explains it with less than this probability.
 */
const brokenChance = 0.01;

/** Wilson's 95 % confidence interval of a proportion. */
export function wilson(passes: number, total: number): Interval {
	if (total === 0) return {low: 0, high: 1};
	const z = 1.96;
	const share = passes / total;
	const scale = 1 + z ** 2 / total;
	const centre = (share + z ** 2 / (2 * total)) / scale;
	const half = (z / scale) * Math.sqrt((share * (1 - share)) / total + z ** 2 / (4 * total ** 2));
	return {low: Math.max(0, centre - half), high: Math.min(1, centre + half)};
}

/** Statistics of a cell with at least one result; results are ordered from the oldest run. */
export function cellStatistics({results, ...name}: CellHistory): CellStatistics {
	const streaks = streaksOf(results.filter(({total}) => total > 0));
	const isBroken = streaks.map(streak => !streak.hasPassed && isNoChance(streak.total, streaks));
	const sound = streaks.filter((_, index) => !isBroken[index]);
	const passes = sum(streaks, each => each.passes);
	const total = sum(streaks, each => each.total);
	const fails = sum(sound, each => each.total - each.passes);
	const last = streaks.at(-1);
	const brokenSince = last && isBroken.at(-1) ? last.since : undefined;
	let status: CellStatistics['status'] = fails > 0 ? 'flaky' : 'steady';
	if (!last) status = 'unknown';
	else if (brokenSince !== undefined) status = 'broken';
	else if (fails === 0 && isBroken.includes(true)) status = 'fixed';
	return {
		...name,
		passes,
		total,
		interval: wilson(passes, total),
		firstSeen: results[0]!.run,
		lastSeen: results.at(-1)!.run,
		status,
		...(brokenSince !== undefined && {brokenSince}),
		failureRate:
			fails /
			Math.max(
				1,
				sum(sound, each => each.total),
			),
	};
}

/** The last result with a verdict on the module, if it was bad. */
export function lastFailure({results}: CellHistory): StoredResult | undefined {
	const last = results.findLast(({total}) => total > 0);
	return last && isFailure(last) ? last : undefined;
}

type Streak = {readonly since: string; readonly hasPassed: boolean; passes: number; total: number};

/** Groups consecutive runs in which all repeats failed, and runs in which some passed. */
function streaksOf(results: readonly StoredResult[]): readonly Streak[] {
	const streaks: Streak[] = [];
	for (const {run, passes, total} of results) {
		const hasPassed = passes > 0;
		let streak = streaks.at(-1);
		if (streak?.hasPassed !== hasPassed) {
			streak = {since: run, hasPassed, passes: 0, total: 0};
			streaks.push(streak);
		}
		streak.passes += passes;
		streak.total += total;
	}
	return streaks;
}

/**
 * Whether this many failures in a row are unlikely for a cell that, while it passes sometimes, fails at its usual rate.
 */
function isNoChance(failedInRow: number, streaks: readonly Streak[]): boolean {
	const passing = streaks.filter(({hasPassed}) => hasPassed);
	// The cell never passed.
	if (passing.length === 0) return true;
	// A single failure proves nothing, however often the cell passed before.
	if (failedInRow < 2) return false;
	const single = streaks.filter(({hasPassed, total}) => !hasPassed && total === 1).length;
	const total = sum(passing, each => each.total) + single;
	const fails = sum(passing, each => each.total - each.passes) + single;
	return ((fails + 1) / (total + 2)) ** failedInRow < brokenChance;
}

function sum<T>(items: readonly T[], value: (item: T) => number): number {
	return items.reduce((total, item) => total + value(item), 0);
}

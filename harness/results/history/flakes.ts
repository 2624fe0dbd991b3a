import type {CellName} from '../run/events.ts';
import {isFailure} from '../run/verdict.ts';
import type {CellHistory, StoredResult} from './index-rows.ts';

export type CellStatistics = CellName & {
	readonly passes: number;
	/** Repeats that said anything about the module, in all runs. */
	readonly total: number;
	/** The pass rate lies between these, with 95 % confidence. */
	readonly interval: Interval;
	readonly firstSeen: string;
	readonly lastSeen: string;
	/**
	 * broken: it does not pass any more, and chance does not explain it; flaky: it fails at times; fixed: it was broken;
	 * unknown: no run said anything.
	 */
	readonly status: 'steady' | 'flaky' | 'fixed' | 'broken' | 'unknown';
	/** The first run of those in which it was broken to the last. */
	readonly brokenSince?: string;
	/** Of the repeats in runs in which it was not broken, so many failed: what may be expected of it. */
	readonly failureRate: number;
};

export type Interval = {readonly low: number; readonly high: number};

/** A row of failures that comes up by chance less often than this is no chance. */
const brokenChance = 0.01;

/** Wilson's interval for a share, at 95 %. */
export function wilson(passes: number, total: number): Interval {
	if (total === 0) return {low: 0, high: 1};
	const z = 1.96;
	const share = passes / total;
	const scale = 1 + z ** 2 / total;
	const centre = (share + z ** 2 / (2 * total)) / scale;
	const half = (z / scale) * Math.sqrt((share * (1 - share)) / total + z ** 2 / (4 * total ** 2));
	return {low: Math.max(0, centre - half), high: Math.min(1, centre + half)};
}

/** For a cell with at least one result; the oldest run is first. */
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

/** The verdict of the last run that said anything, if it was a bad one. */
export function lastFailure({results}: CellHistory): StoredResult | undefined {
	const last = results.findLast(({total}) => total > 0);
	return last && isFailure(last) ? last : undefined;
}

type Streak = {readonly since: string; readonly hasPassed: boolean; passes: number; total: number};

/** Neighbouring runs in each of which all repeats failed, or some passed. */
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
 * Whether so many failures in a row would be a wonder for a cell that fails as often as this one does while it passes at
 * times.
 */
function isNoChance(failedInRow: number, streaks: readonly Streak[]): boolean {
	const passing = streaks.filter(({hasPassed}) => hasPassed);
	// It never passed.
	if (passing.length === 0) return true;
	// However often it passed before: once is once.
	if (failedInRow < 2) return false;
	const single = streaks.filter(({hasPassed, total}) => !hasPassed && total === 1).length;
	const total = sum(passing, each => each.total) + single;
	const fails = sum(passing, each => each.total - each.passes) + single;
	return ((fails + 1) / (total + 2)) ** failedInRow < brokenChance;
}

function sum<T>(items: readonly T[], value: (item: T) => number): number {
	return items.reduce((total, item) => total + value(item), 0);
}

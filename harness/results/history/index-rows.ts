// SPDX-License-Identifier: GPL-2.0
import type {SQLOutputValue} from 'node:sqlite';
import type {CellName, MeasurementEvent, RunEvent} from '../run/events.ts';
import type {Verdict} from '../run/verdict.ts';

export type StoredRun = {
	/** Ids sort by time. */
	readonly id: string;
	readonly startedAt: string;
	readonly command: NonNullable<RunEvent['command']> | 'run';
	readonly isShard: boolean;
	/** It has no end event, and its process is still running. */
	readonly isRunning: boolean;
	readonly isInterrupted: boolean;
	/** It ended with exit status 0. */
	readonly isGreen: boolean;
	readonly exitCode?: number;
	/** Cells by verdict; repeats of a cell count once. */
	readonly counts: Readonly<Partial<Record<Verdict, number>>>;
	/** Kernels that were ready. */
	readonly kernels: readonly string[];
};

/** A cell's result in one run, with all repeats combined. */
export type StoredResult = {
	readonly run: string;
	readonly verdict: Verdict;
	readonly passes: number;
	readonly total: number;
	readonly message?: string;
};

export type CellHistory = CellName & {readonly results: readonly StoredResult[]};

/** A measurement of one run: the median of its values. */
export type Measured = Pick<MeasurementEvent, 'kernel' | 'what' | 'unit' | 'budget'> & {
	readonly run: string;
	readonly value: number;
};

/** Whether later runs may be compared with it: it is not a bench, not a shard, and not in progress. */
export function isComparable({command, isShard, isRunning}: StoredRun): boolean {
	return command !== 'bench' && !isShard && !isRunning;
}

type Row = Readonly<Record<string, SQLOutputValue>>;

/** Converts a row; `isRunning` is called for a run without an end event. */
export function runOf(row: Row, isRunning: (id: string) => boolean): StoredRun {
	const goesOn = row.exitCode === null && isRunning(String(row.id));
	return {
		id: String(row.id),
		startedAt: String(row.startedAt),
		// Only the store writes it.
		command: row.command as StoredRun['command'],
		isShard: row.isShard === 1,
		isRunning: goesOn,
		isInterrupted: row.exitCode === null && !goesOn,
		isGreen: row.exitCode === 0,
		...(row.exitCode !== null && {exitCode: Number(row.exitCode)}),
		counts: JSON.parse(String(row.counts)) as StoredRun['counts'],
		kernels: JSON.parse(String(row.kernels)) as readonly string[],
	};
}

/** A cell's name from its row. */
export function nameOf({kernel, mechanism, caseId, target, alternative}: Row): CellName {
	return {
		kernel: String(kernel),
		mechanism: String(mechanism),
		case: String(caseId),
		...(target !== null && {target: String(target)}),
		...(alternative === 1 && {alternative: true}),
	};
}

/** Parses the JSON that the query of `cells` aggregates. */
export function parseResults(text: SQLOutputValue | undefined): readonly StoredResult[] {
	// Only the store writes it.
	const results = JSON.parse(String(text)) as [string, Verdict, number, number, string | null][];
	return results.map(([run, verdict, passes, total, message]) => ({
		run,
		verdict,
		passes,
		total,
		...(message !== null && {message}),
	}));
}

/** Converts a row of the measurement table; `value` is in `unit`. */
export function measuredOf({run, kernel, what, unit, budget, value}: Row): Measured {
	return {
		run: String(run),
		kernel: String(kernel),
		what: String(what),
		unit: String(unit),
		...(budget !== null && {budget: Number(budget)}),
		value: Number(value),
	};
}

/** Parses durations in ms, separated by spaces: one for each passed repeat, possibly none. */
export function parseDurations(text: SQLOutputValue | undefined): readonly number[] {
	return text === '' ? [] : String(text).split(' ').map(Number);
}

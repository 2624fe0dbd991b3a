import type {SQLOutputValue} from 'node:sqlite';
import type {CellName, MeasurementEvent, RunEvent} from '../run/events.ts';
import type {Verdict} from '../run/verdict.ts';

export type StoredRun = {
	/** Sorts by time. */
	readonly id: string;
	readonly startedAt: string;
	readonly command: NonNullable<RunEvent['command']> | 'run';
	readonly isShard: boolean;
	/** It has no end yet, and may have one still. */
	readonly isRunning: boolean;
	readonly isInterrupted: boolean;
	/** It ended, and with 0. */
	readonly isGreen: boolean;
	readonly exitCode?: number;
	/** By cells, not by repeats. */
	readonly counts: Readonly<Partial<Record<Verdict, number>>>;
	/** Those that were ready. */
	readonly kernels: readonly string[];
};

/** One cell in one run, as the index has it. */
export type StoredResult = {
	readonly run: string;
	readonly verdict: Verdict;
	readonly passes: number;
	readonly total: number;
	readonly message?: string;
};

export type CellHistory = CellName & {readonly results: readonly StoredResult[]};

/** One measurement of one run: the median of its values. */
export type Measured = Pick<MeasurementEvent, 'kernel' | 'what' | 'unit' | 'budget'> & {
	readonly run: string;
	readonly value: number;
};

/** Whether it may be the one that others are compared with: it ran cells, all that were to be run, and is over. */
export function isComparable({command, isShard, isRunning}: StoredRun): boolean {
	return command !== 'bench' && !isShard && !isRunning;
}

type Row = Readonly<Record<string, SQLOutputValue>>;

/** `isRunning` is asked where there is no end. */
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

/** A cell's name from its row in the index. */
export function nameOf({kernel, mechanism, caseId, target}: Row): CellName {
	return {
		kernel: String(kernel),
		mechanism: String(mechanism),
		case: String(caseId),
		...(target !== null && {target: String(target)}),
	};
}

/** A list of lists in JSON, as `cells` asks for it. */
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

/** From a row of the index, whose `value` is in the unit that it names. */
export function measuredOf({run, kernel, what, unit, budget, value}: Row): Measured {
	return {
		run: String(run),
		kernel: String(kernel),
		what: String(what),
		unit: String(unit),
		budget: Number(budget),
		value: Number(value),
	};
}

/** Numbers with spaces between them, in milliseconds: one for each repeat that passed, perhaps none. */
export function parseDurations(text: SQLOutputValue | undefined): readonly number[] {
	return text === '' ? [] : String(text).split(' ').map(Number);
}

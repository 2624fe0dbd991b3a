/** What a run writes, one JSON object a line; everything else (table, reports) is made from these. */
export const eventSchema = 1;

export const verdicts = ['pass', 'fail', 'crash', 'hang', 'inconclusive', 'skip', 'infra'] as const;

/**
 * pass; fail: an assertion; crash: the kernel died or complained; hang: no answer in time; inconclusive: a race that did
 * not overlap enough to prove anything; skip: does not apply here; infra: our fault or the host's.
 */
export type Verdict = (typeof verdicts)[number];

/** What a cell is about: kernel × mechanism × case, and the kind of target where the case has several. */
export type CellName = {
	readonly kernel: string;
	readonly mechanism: string;
	readonly case: string;
	readonly target?: string;
};

export type RunEvent = {
	readonly type: 'run';
	readonly schema: typeof eventSchema;
	readonly id: string;
	readonly startedAt: string;
	readonly host: {readonly release: string; readonly cpus: number; readonly memoryMib: number};
	/** `speed`: millions of turns of an empty loop that a guest runs in a second. */
	readonly accelerator: {readonly name: string; readonly reason: string; readonly speed?: number};
	readonly versions: Readonly<Record<string, string>>;
	readonly cells: number;
	/** What made it, where that was not `run`. */
	readonly command?: 'nightly' | 'merge' | 'bench';
	/** It is one part of a larger run. */
	readonly shard?: Shard;
};

export type Shard = {
	/** From 1. */
	readonly index: number;
	/** The kernels of all parts, in order; parts that belong together have the same. */
	readonly parts: readonly (readonly string[])[];
};

export type KernelEvent = {
	readonly type: 'kernel';
	readonly kernel: string;
	readonly state: 'ready' | 'unavailable' | 'failed';
	readonly release?: string;
	readonly bootMs?: number;
	/** Why it cannot be used. */
	readonly reason?: string;
	/** The last lines that its guest said on the console. */
	readonly console?: string;
	/** So many cells have no event of their own: they were asked for, and this kernel cannot be used. */
	readonly notRun?: number;
};

/** What is tested went into a guest of the kernel, as one tar stream over SSH; guests that are copies of it have it, too. */
export type PushedEvent = {
	readonly type: 'pushed';
	readonly kernel: string;
	/** Of the stream. */
	readonly bytes: number;
	/** From the connection's begin to the last file. */
	readonly ms: number;
};

/** Written before a cell begins, so that any death is attributed. */
export type StartedEvent = CellName & {readonly type: 'started'; readonly repeat: number};

/** How a case has ended, told at once; what its kernel says in the next second may still change the verdict. */
export type EndedEvent = CellName & {
	readonly type: 'ended';
	readonly repeat: number;
	readonly verdict: Verdict;
	readonly durationMs: number;
};

export type CellEvent = CellName & {
	readonly type: 'cell';
	readonly repeat: number;
	readonly verdict: Verdict;
	readonly durationMs: number;
	/** Why, for every verdict but pass. */
	readonly message?: string;
	readonly evidence?: Readonly<Record<string, unknown>>;
	/** It was run once more, in a fresh guest, and this is how that ended; the verdict stays that of the first run. */
	readonly again?: {readonly verdict: Verdict; readonly message?: string};
	/** It passed when it was run again. */
	readonly flaky?: true;
	/** The lines of the guest's console that belong to this cell, when it says something. */
	readonly console?: string;
	/** Where the whole console is, on the host that ran the cell. */
	readonly consolePath?: string;
};

/** How much something takes, measured several times, and how much it may take: what `npm run bench` finds out. */
export type MeasurementEvent = {
	readonly type: 'measurement';
	readonly kernel: string;
	readonly what: string;
	/** `ms`; empty for what is counted. */
	readonly unit: string;
	readonly budget: number;
	readonly values: readonly number[];
};

export const findingKinds = ['crash', 'regression', 'kernel', 'flaky', 'known', 'passesAgain', 'idle'] as const;

/** What a night makes of its verdicts by those of the nights before, in words. */
export type NightFinding = {
	readonly kind: (typeof findingKinds)[number];
	readonly kernel?: string;
	/** `entry/flags[asm]`; a whole kernel has none. */
	readonly cell?: string;
	readonly words: string;
};

export type EndEvent = {
	readonly type: 'end';
	readonly counts: Readonly<Record<Verdict, number>>;
	/** Cells without a verdict, as their kernel could not be used; together with the counts these are all. */
	readonly notRun?: number;
	readonly durationMs: number;
	readonly exitCode: number;
	/** Of a night. */
	readonly findings?: readonly NightFinding[];
};

export type Event =
	| RunEvent
	| KernelEvent
	| PushedEvent
	| StartedEvent
	| EndedEvent
	| CellEvent
	| MeasurementEvent
	| EndEvent;

/** `return/call-stack[asm]`: what --match takes and reports print. */
export function cellTitle(cell: CellName): string {
	return cell.target === undefined ? cell.case : `${cell.case}[${cell.target}]`;
}

export function suiteOf({case: id}: Pick<CellName, 'case'>): string {
	return id.split('/')[0]!;
}

export function countVerdicts(cells: Iterable<CellEvent>): Record<Verdict, number> {
	const counts = Object.fromEntries(verdicts.map(verdict => [verdict, 0])) as Record<Verdict, number>;
	for (const cell of cells) counts[cell.verdict]++;
	return counts;
}

/**
 * 0 all passed · 1 a cell failed, crashed or hung · 3 nothing failed, but something asked for could not run.
 * (2, usage or set-up, and 130, interrupted, are not a matter of verdicts.)
 */
export function exitCode(
	counts: Readonly<Record<Verdict, number>>,
	{isKernelMissing}: {isKernelMissing: boolean},
): 0 | 1 | 3 {
	if (counts.fail + counts.crash + counts.hang > 0) return 1;
	return counts.infra + counts.inconclusive > 0 || isKernelMissing ? 3 : 0;
}

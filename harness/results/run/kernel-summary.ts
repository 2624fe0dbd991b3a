import type {KernelEvent} from './events.ts';

/** All that a run says of one kernel. */
export type KernelSummary = Omit<KernelEvent, 'type' | 'notRun'> & {
	/** Cells that did not run as it could not be used. */
	readonly notRun: number;
	/** It booted at least once. */
	readonly hasBooted: boolean;
};

/**
 * By kernel, in the order in which they come up. One that could not be used once is none that is ready: it lacks cells,
 * whatever became of it before and after.
 */
export function summarizeKernels(events: readonly KernelEvent[]): ReadonlyMap<string, KernelSummary> {
	const summaries = [...Map.groupBy(events, ({kernel}) => kernel)].map(([kernel, all]) => {
		const worst = all.find(({state}) => state !== 'ready') ?? all.at(-1)!;
		const booted = all.findLast(({state}) => state === 'ready');
		const {type: _type, ...known} = {...booted, ...worst, notRun: sumOfNotRun(all), hasBooted: booted !== undefined};
		return [kernel, known] as const;
	});
	return new Map(summaries);
}

/** Those that could not be used, or not until the end. */
export function unusableKernels(events: readonly KernelEvent[]): readonly KernelSummary[] {
	return [...summarizeKernels(events).values()].filter(({state}) => state !== 'ready');
}

/** All cells that did not run. */
export function sumOfNotRun(events: readonly KernelEvent[]): number {
	return events.reduce((sum, {notRun = 0}) => sum + notRun, 0);
}

/** In a line: `Linux 4.15.11 did not boot: triple fault at startup_64+0x5d; 214 cells did not run`. */
export function kernelWords({reason, notRun}: Pick<KernelSummary, 'reason' | 'notRun'>): string {
	const why = reason?.trim().split('\n', 1)[0] || 'No reason is given.';
	return notRun > 0 ? `${why}${/[.!?]$/.test(why) ? ' ' : '; '}${cellsNotRun(notRun)}` : why;
}

export function cellsNotRun(count: number): string {
	return `${count} ${count === 1 ? 'cell' : 'cells'} did not run`;
}

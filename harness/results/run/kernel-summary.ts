// SPDX-License-Identifier: GPL-2.0
import {counted} from './counted.ts';
import type {KernelEvent} from './events.ts';

/** All events of one kernel in a run, combined. */
export type KernelSummary = Omit<KernelEvent, 'type' | 'notRun'> & {
	/** Cells that did not run because the kernel was unusable. */
	readonly notRun: number;
	/** It booted at least once. */
	readonly hasBooted: boolean;
};

/**
 * Summaries by kernel, in order of appearance. A kernel that was unusable once is never `ready`, because cells of it
 * are missing.
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

/** Kernels that were unusable at some time. */
export function unusableKernels(events: readonly KernelEvent[]): readonly KernelSummary[] {
	return [...summarizeKernels(events).values()].filter(({state}) => state !== 'ready');
}

/** Total number of cells that did not run. */
export function sumOfNotRun(events: readonly KernelEvent[]): number {
	return events.reduce((sum, {notRun = 0}) => sum + notRun, 0);
}

/** For example `Linux 4.15.11 did not boot: triple fault at startup_64+0x5d; 214 cells did not run`. */
export function kernelWords({reason, notRun}: Pick<KernelSummary, 'reason' | 'notRun'>): string {
	const why = reason?.trim().split('\n', 1)[0] || 'No reason is given.';
	return notRun > 0 ? `${why}${/[.!?]$/.test(why) ? ' ' : '; '}${cellsNotRun(notRun)}` : why;
}

export function cellsNotRun(count: number): string {
	return `${counted(count, 'cell')} did not run`;
}

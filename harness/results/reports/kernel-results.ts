// SPDX-License-Identifier: GPL-2.0
import type {CellEvent, RunEvent} from '../run/events.ts';
import {type KernelSummary, kernelWords, summarizeKernels} from '../run/kernel-summary.ts';
import type {RunRecord} from '../run/read-run.ts';
import {inReadingOrder} from '../run/reading-order.ts';

/** A kernel of a run with its cells in reading order. */
export type KernelResult = {
	readonly kernel: string;
	/** The kernel's events combined; undefined if the run ended before them. */
	readonly summary?: KernelSummary;
	readonly cells: readonly CellEvent[];
};

export type Reported = Pick<RunRecord, 'kernels' | 'cells'> & {readonly run?: Pick<RunEvent, 'order'>};

/** The kernels in order of appearance. */
export function columnsOf({kernels, cells, run}: Reported): readonly KernelResult[] {
	const summaries = summarizeKernels(kernels);
	const ofKernel = Map.groupBy(cells, ({kernel}) => kernel);
	return [...new Set([...summaries.keys(), ...ofKernel.keys()])].map(kernel => {
		const summary = summaries.get(kernel);
		return {kernel, ...(summary && {summary}), cells: inReadingOrder(ofKernel.get(kernel) ?? [], run?.order)};
	});
}

/** The summary of a kernel that was unusable at some time; undefined for a usable one and for one without events. */
export function missingKernel({summary}: KernelResult): KernelSummary | undefined {
	return summary?.state === 'ready' ? undefined : summary;
}

/** Why cells of a kernel did not run, and how many; undefined if it was usable. */
export function whyMissing(column: KernelResult): string | undefined {
	const missing = missingKernel(column);
	return missing && kernelWords(missing);
}

/** A sentence about a run without an end event; undefined if it has one. */
export function interruption({run, cells, isInterrupted}: RunRecord): string | undefined {
	if (!isInterrupted) return undefined;
	return `The run has no end: it was interrupted, or is still in progress. ${cells.length} of ${run.cells} cells have a verdict.`;
}

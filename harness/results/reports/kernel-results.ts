import type {CellEvent, RunEvent} from '../run/events.ts';
import {type KernelSummary, kernelWords, summarizeKernels} from '../run/kernel-summary.ts';
import type {RunRecord} from '../run/read-run.ts';
import {inReadingOrder} from '../run/reading-order.ts';

/** One kernel of a run, and its cells in the order in which people read them. */
export type KernelResult = {
	readonly kernel: string;
	/** What was said of it; there is nothing if the run ended before. */
	readonly summary?: KernelSummary;
	readonly cells: readonly CellEvent[];
};

export type Reported = Pick<RunRecord, 'kernels' | 'cells'> & {readonly run?: Pick<RunEvent, 'order'>};

/** Kernels in the order in which they come up. */
export function columnsOf({kernels, cells, run}: Reported): readonly KernelResult[] {
	const summaries = summarizeKernels(kernels);
	const ofKernel = Map.groupBy(cells, ({kernel}) => kernel);
	return [...new Set([...summaries.keys(), ...ofKernel.keys()])].map(kernel => {
		const summary = summaries.get(kernel);
		return {kernel, ...(summary && {summary}), cells: inReadingOrder(ofKernel.get(kernel) ?? [], run?.order)};
	});
}

/** What is known of a kernel that could not be used, or not until the end; one of which nothing was said yet is not missing. */
export function missingKernel({summary}: KernelResult): KernelSummary | undefined {
	return summary?.state === 'ready' ? undefined : summary;
}

/** Why cells of a kernel did not run, and how many those are; `undefined` if it could be used. */
export function whyMissing(column: KernelResult): string | undefined {
	const missing = missingKernel(column);
	return missing && kernelWords(missing);
}

/** What there is to say of a run that has no end; `undefined` if it has one. */
export function interruption({run, cells, isInterrupted}: RunRecord): string | undefined {
	if (!isInterrupted) return undefined;
	return `The run has no end: it was interrupted, or is still in progress. ${cells.length} of ${run.cells} cells have a verdict.`;
}

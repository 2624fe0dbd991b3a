import {type CellEvent, suiteOf, type Verdict} from '../events.ts';
import {type KernelSummary, kernelWords, summarizeKernels} from '../kernel-summary.ts';
import type {RunRecord} from '../read-run.ts';
import {suiteOrder, targetOrder} from '../table.ts';

/** One kernel of a run, and its cells in the order in which people read them. */
export type Column = {
	readonly kernel: string;
	/** What was said of it; there is nothing if the run ended before. */
	readonly summary?: KernelSummary;
	readonly cells: readonly CellEvent[];
};

export type Reported = Pick<RunRecord, 'kernels' | 'cells'>;

/** Kernels in the order in which they come up. */
export function columnsOf({kernels, cells}: Reported): readonly Column[] {
	const summaries = summarizeKernels(kernels);
	const ofKernel = Map.groupBy(cells, ({kernel}) => kernel);
	return [...new Set([...summaries.keys(), ...ofKernel.keys()])].map(kernel => {
		const summary = summaries.get(kernel);
		return {kernel, ...(summary && {summary}), cells: inReadingOrder(ofKernel.get(kernel) ?? [])};
	});
}

/** Cells finish in any order; they are read by suite, case, target. */
export function inReadingOrder(cells: readonly CellEvent[]): CellEvent[] {
	return cells.toSorted(
		(a, b) =>
			suiteOrder(suiteOf(a)) - suiteOrder(suiteOf(b)) ||
			compare(a.case, b.case) ||
			compare(a.mechanism, b.mechanism) ||
			targetOrder(a.target ?? '–') - targetOrder(b.target ?? '–') ||
			compare(a.target ?? '', b.target ?? '') ||
			a.repeat - b.repeat,
	);
}

function compare(a: string, b: string): number {
	return a < b ? -1 : Number(a > b);
}

/** Whether it keeps a run from being a success: the same in every format, and as in the exit code. */
export function isBad({verdict}: {readonly verdict: Verdict}): boolean {
	return verdict !== 'pass' && verdict !== 'skip';
}

/** What is known of a kernel that could not be used, or not until the end; one of which nothing was said yet is not missing. */
export function missingKernel({summary}: Column): KernelSummary | undefined {
	return summary?.state === 'ready' ? undefined : summary;
}

/** Why cells of a kernel did not run, and how many those are; `undefined` if it could be used. */
export function whyMissing(column: Column): string | undefined {
	const missing = missingKernel(column);
	return missing && kernelWords(missing);
}

/** What there is to say of a run that has no end; `undefined` if it has one. */
export function interruption({run, cells, isInterrupted}: RunRecord): string | undefined {
	if (!isInterrupted) return undefined;
	return `The run has no end: it was interrupted, or goes on still. ${cells.length} of ${run.cells} cells have a verdict.`;
}

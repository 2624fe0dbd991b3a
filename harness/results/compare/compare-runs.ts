// SPDX-License-Identifier: GPL-2.0
import {type CellSummary, cellKey, type SummarizedCell, summarizeCells} from '../run/cell-summary.ts';
import type {CellName} from '../run/events.ts';
import {type KernelSummary, unusableKernels} from '../run/kernel-summary.ts';
import {normalizeMessage} from '../run/normalize-message.ts';
import type {RunRecord} from '../run/read-run.ts';
import {chanceOfLarger, median} from '../run/statistics.ts';
import {isFailure} from '../run/verdict.ts';

export type ComparedCell = CellName & {readonly before?: CellSummary; readonly after?: CellSummary};

/** A kernel that was usable in only one of the runs; `cells` is the number of its cells that it stands for. */
export type ComparedKernel = KernelSummary & {readonly cells: number};

/** The differences. Each cell is in one list at most, except that cells in `slower` may also be in `added`. */
export type Comparison = {
	/** Kernels that became unusable. They stand for their cells that ran before but not now. */
	readonly lostKernels: readonly ComparedKernel[];
	/** Kernels that were unusable before. They stand for their cells that did not run before and do not fail now. */
	readonly regainedKernels: readonly ComparedKernel[];
	/** Fails, crashes or hangs, but did not before; or crashes, but only failed before. */
	readonly newFailures: readonly ComparedCell[];
	/** Failed before, passes now. */
	readonly fixed: readonly ComparedCell[];
	/** Fails as before, but with another message. */
	readonly changedMessages: readonly ComparedCell[];
	/** Had a verdict on the module before and now has none: skip, inconclusive or infra. */
	readonly newSkips: readonly ComparedCell[];
	/** Passes, but takes significantly longer. */
	readonly slower: readonly ComparedCell[];
	/** Ran before but not now, although its kernel was usable. */
	readonly missing: readonly ComparedCell[];
	/** Did not run before, and does not fail now. */
	readonly added: readonly ComparedCell[];
};

/** Durations of a cell, in ms, in runs before both. */
export type DurationHistory = (cell: CellName) => readonly number[];

/** Significance level for `slower`. It is low, because hundreds of cells are tested at a time. */
const slowerChance = 0.001;
/** Smaller factors are not worth reporting, however significant. */
const slowerFactor = 1.1;

/** Compares two runs. `history` makes the comparison of durations more sensitive. */
export function compareRuns(
	before: Pick<RunRecord, 'cells' | 'kernels'>,
	after: Pick<RunRecord, 'cells' | 'kernels'>,
	history: DurationHistory = () => [],
): Comparison {
	const [old, now] = [summarizeCells(before.cells), summarizeCells(after.cells)];
	const both = [...now.values()].map(cell => compared(cell, old.get(cellKey(cell))?.summary, cell.summary));
	const gone = [...old.values()].filter(cell => !now.has(cellKey(cell))).map(cell => compared(cell, cell.summary));
	const kinds = Map.groupBy(both, kindOf);
	const lost = takeTogether(gone, unusableKernels(after.kernels));
	const regained = takeTogether(kinds.get('added') ?? [], unusableKernels(before.kernels));
	return {
		lostKernels: lost.kernels,
		regainedKernels: regained.kernels,
		newFailures: kinds.get('newFailure') ?? [],
		fixed: kinds.get('fixed') ?? [],
		changedMessages: kinds.get('changedMessage') ?? [],
		newSkips: kinds.get('newSkip') ?? [],
		slower: both.filter(cell => isSlower(cell, history(cell))),
		missing: lost.others,
		added: regained.others,
	};
}

/** Splits cells into unusable kernels, one entry for all cells of a kernel, and cells of other kernels. */
function takeTogether(
	cells: readonly ComparedCell[],
	unusable: readonly KernelSummary[],
): {kernels: readonly ComparedKernel[]; others: readonly ComparedCell[]} {
	const byKernel = Map.groupBy(cells, ({kernel}) => kernel);
	const kernels = unusable.flatMap(summary => {
		const {length} = byKernel.get(summary.kernel) ?? [];
		return length > 0 ? [{...summary, cells: length}] : [];
	});
	const named = new Set(kernels.map(({kernel}) => kernel));
	return {kernels, others: cells.filter(({kernel}) => !named.has(kernel))};
}

function compared(cell: SummarizedCell, before?: CellSummary, after?: CellSummary): ComparedCell {
	const {kernel, mechanism, case: id, target, alternative} = cell;
	return {
		kernel,
		mechanism,
		case: id,
		...(target !== undefined && {target}),
		...(alternative && {alternative}),
		...(before && {before}),
		...(after && {after}),
	};
}

function kindOf({before, after}: ComparedCell): string | undefined {
	const [isBad, wasBad] = [after && isFailure(after), before && isFailure(before)];
	if (isBad) {
		const isWorse = after?.verdict === 'crash' && before?.verdict !== 'crash';
		if (!wasBad || isWorse) return 'newFailure';
		return normalizeMessage(before?.message) === normalizeMessage(after?.message) ? undefined : 'changedMessage';
	}
	if (!before) return 'added';
	if (after?.verdict === 'pass') return wasBad ? 'fixed' : undefined;
	return before.total > 0 ? 'newSkip' : undefined;
}

function isSlower({before, after}: ComparedCell, history: readonly number[]): boolean {
	if (before?.verdict !== 'pass' || after?.verdict !== 'pass') return false;
	const samples = [...history, ...before.durationsMs];
	if (median(after.durationsMs) < slowerFactor * median(samples)) return false;
	return chanceOfLarger(samples, after.durationsMs) < slowerChance;
}

import {type CellSummary, cellKey, type SummarizedCell, summarizeCells} from '../run/cell-summary.ts';
import type {CellName} from '../run/events.ts';
import {type KernelSummary, unusableKernels} from '../run/kernel-summary.ts';
import {normalizeMessage} from '../run/normalize-message.ts';
import type {RunRecord} from '../run/read-run.ts';
import {chanceOfLarger, median} from '../run/statistics.ts';
import {isFailure} from '../run/verdict.ts';

export type ComparedCell = CellName & {readonly before?: CellSummary; readonly after?: CellSummary};

/** A kernel that could be used in one of the runs only; it stands for `cells` of its cells. */
export type ComparedKernel = KernelSummary & {readonly cells: number};

/** What is different. A cell stands in one of these lists, in `slower` besides `added` or none. */
export type Comparison = {
	/** Could not be used any more; it stands for what ran on it before and not now. */
	readonly lostKernels: readonly ComparedKernel[];
	/** Could not be used before; it stands for what did not run then and does not fail. */
	readonly regainedKernels: readonly ComparedKernel[];
	/** Fails, crashes or hangs and did not before, or crashes and only failed before. */
	readonly newFailures: readonly ComparedCell[];
	/** Failed before, passes now. */
	readonly fixed: readonly ComparedCell[];
	/** Fails as it did before, but says something else. */
	readonly changedMessages: readonly ComparedCell[];
	/** Said something about the module before and now does not: skip, inconclusive or infra. */
	readonly newSkips: readonly ComparedCell[];
	/** Passes, but takes longer, by more than chance explains. */
	readonly slower: readonly ComparedCell[];
	/** Ran before, not now, though the kernel could be used. */
	readonly missing: readonly ComparedCell[];
	/** Did not run before, and does not fail. */
	readonly added: readonly ComparedCell[];
};

/** What a cell took in runs before the first of the two. */
export type DurationHistory = (cell: CellName) => readonly number[];

/** A difference in time that comes up by chance less often than this is one. Hundreds of cells are looked at each time. */
const slowerChance = 0.001;
/** Smaller ones are nobody's matter, however sure. */
const slowerFactor = 1.1;

/** What is different in `after`; `history` makes the judgement of times surer. */
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

/** Of those kernels each once for all its cells, and the cells of others. */
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
	const {kernel, mechanism, case: id, target} = cell;
	return {
		kernel,
		mechanism,
		case: id,
		...(target !== undefined && {target}),
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

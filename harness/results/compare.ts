import {type CellSummary, cellKey, failures, type SummarizedCell, summarizeCells} from './cell-summary.ts';
import type {CellName} from './events.ts';
import {chanceOfLarger, median} from './rank-test.ts';
import type {RunRecord} from './read-run.ts';

export type ComparedCell = CellName & {readonly before?: CellSummary; readonly after?: CellSummary};

/** What is different. A cell stands in one of these lists, in `slower` besides `added` or none. */
export type Comparison = {
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
	/** Ran before, not now. */
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
	before: Pick<RunRecord, 'cells'>,
	after: Pick<RunRecord, 'cells'>,
	history: DurationHistory = () => [],
): Comparison {
	const [old, now] = [summarizeCells(before.cells), summarizeCells(after.cells)];
	const both = [...now.values()].map(cell => compared(cell, old.get(cellKey(cell))?.summary, cell.summary));
	const gone = [...old.values()].filter(cell => !now.has(cellKey(cell)));
	const kinds = Map.groupBy(both, kindOf);
	return {
		newFailures: kinds.get('newFailure') ?? [],
		fixed: kinds.get('fixed') ?? [],
		changedMessages: kinds.get('changedMessage') ?? [],
		newSkips: kinds.get('newSkip') ?? [],
		slower: both.filter(cell => isSlower(cell, history(cell))),
		missing: gone.map(cell => compared(cell, cell.summary)),
		added: kinds.get('added') ?? [],
	};
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
	const [isBad, wasBad] = [isFailure(after), isFailure(before)];
	if (isBad) {
		const isWorse = after?.verdict === 'crash' && before?.verdict !== 'crash';
		if (!wasBad || isWorse) return 'newFailure';
		return gist(before?.message) === gist(after?.message) ? undefined : 'changedMessage';
	}
	if (!before) return 'added';
	if (after?.verdict === 'pass') return wasBad ? 'fixed' : undefined;
	return before.total > 0 ? 'newSkip' : undefined;
}

function isFailure(summary: CellSummary | undefined): boolean {
	return summary !== undefined && failures.has(summary.verdict);
}

/** A message without what is another each time: addresses, times, large counts. */
export function gist(message = ''): string {
	return message
		.replaceAll(/\b0x[\da-f]{5,}\b|\b(?=[a-f]*\d)[\da-f]{5,}\b/gi, '…')
		.replaceAll(/\b\d+\.\d+\b|\b\d{3,}\b/g, '…')
		.trim();
}

function isSlower({before, after}: ComparedCell, history: readonly number[]): boolean {
	if (before?.verdict !== 'pass' || after?.verdict !== 'pass') return false;
	const samples = [...history, ...before.durationsMs];
	if (median(after.durationsMs) < slowerFactor * median(samples)) return false;
	return chanceOfLarger(samples, after.durationsMs) < slowerChance;
}

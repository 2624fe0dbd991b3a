import {cellTitle} from './cell-name.ts';
import type {CellEvent, CellName} from './events.ts';
import {median} from './statistics.ts';
import type {Verdict} from './verdict.ts';
import {isFailure} from './verdict.ts';

/** All repeats of one cell in one run, taken together. */
export type CellSummary = {
	/** The worst of them. */
	readonly verdict: Verdict;
	readonly passes: number;
	/** How many of the repeats said anything about the module: pass, fail, crash, hang. */
	readonly total: number;
	/** The median of those that passed, of all if none did. */
	readonly durationMs: number;
	/** What each of those that passed took. */
	readonly durationsMs: readonly number[];
	/** Of the first with that verdict. */
	readonly message?: string;
};

export type SummarizedCell = CellName & {readonly summary: CellSummary};

/** From bad to good. */
const severity: readonly Verdict[] = ['crash', 'hang', 'fail', 'infra', 'inconclusive', 'pass', 'skip'];

/** A name for a cell in maps, the same in every run. */
export function cellKey(cell: CellName): string {
	return `${cell.kernel} ${cell.mechanism} ${cellTitle(cell)}`;
}

/** By `cellKey`, in the order in which cells first ended. */
export function summarizeCells(cells: readonly CellEvent[]): ReadonlyMap<string, SummarizedCell> {
	const groups = Map.groupBy(cells, cellKey);
	return new Map(
		[...groups].map(([key, repeats]) => {
			const {kernel, mechanism, case: id, target} = repeats[0]!;
			return [key, {kernel, mechanism, case: id, ...(target !== undefined && {target}), summary: summarize(repeats)}];
		}),
	);
}

/**
 * A repeat that proved nothing does not weigh against others that did: a race that did not overlap once and passed nine
 * times has passed.
 */
function summarize(repeats: readonly CellEvent[]): CellSummary {
	const passed = repeats.filter(({verdict}) => verdict === 'pass');
	const telling = repeats.filter(repeat => repeat.verdict === 'pass' || isFailure(repeat));
	const judged = telling.length > 0 ? telling : repeats;
	const verdict = severity.find(each => judged.some(repeat => repeat.verdict === each))!;
	const message = judged.find(repeat => repeat.verdict === verdict)?.message;
	const durationsMs = passed.map(({durationMs}) => durationMs);
	return {
		verdict,
		passes: passed.length,
		total: telling.length,
		durationMs: median(passed.length > 0 ? durationsMs : repeats.map(({durationMs}) => durationMs)),
		durationsMs,
		...(message !== undefined && {message}),
	};
}

// SPDX-License-Identifier: GPL-2.0
import {caseTitle} from './cell-name.ts';
import type {CellEvent, CellName} from './events.ts';
import {median} from './statistics.ts';
import type {Verdict} from './verdict.ts';
import {isFailure} from './verdict.ts';

/** All repeats of one cell in one run, combined. */
export type CellSummary = {
	/** The worst verdict of the repeats that count. */
	readonly verdict: Verdict;
	readonly passes: number;
	/** Repeats with a verdict on the module: pass, fail, crash or hang. */
	readonly total: number;
	/** Median duration in ms of passed repeats; of all, if none passed. */
	readonly durationMs: number;
	/** Durations in ms of passed repeats. */
	readonly durationsMs: readonly number[];
	/** Message of the first repeat with that verdict. */
	readonly message?: string;
};

export type SummarizedCell = CellName & {readonly summary: CellSummary};

/** From bad to good. */
const severity: readonly Verdict[] = ['crash', 'hang', 'fail', 'infra', 'inconclusive', 'known', 'pass', 'skip'];

/** Key of a cell for maps; the same in every run. */
export function cellKey(cell: CellName): string {
	return `${cell.kernel} ${cell.mechanism} ${caseTitle(cell)}`;
}

/** By `cellKey`, in the order in which cells first ended. */
export function summarizeCells(cells: readonly CellEvent[]): ReadonlyMap<string, SummarizedCell> {
	const groups = Map.groupBy(cells, cellKey);
	return new Map(
		[...groups].map(([key, repeats]) => {
			const {kernel, mechanism, case: id, target, alternative} = repeats[0]!;
			const name = {
				kernel,
				mechanism,
				case: id,
				...(target !== undefined && {target}),
				...(alternative && {alternative}),
			};
			return [key, {...name, summary: summarize(repeats)}];
		}),
	);
}

/**
 * Repeats that proved nothing do not count if others did: a race that passed nine times and once did not overlap has
 * passed.
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

// SPDX-License-Identifier: GPL-2.0
import {type CellStatistics, cellStatistics, lastFailure} from '../results/history/flakes.ts';
import type {CellHistory, StoredResult, StoredRun} from '../results/history/index-rows.ts';
import {cellKey} from '../results/run/cell-summary.ts';
import {normalizeMessage} from '../results/run/normalize-message.ts';

/** What is known of a cell from earlier runs. */
export type CellPast = {
	readonly statistics: CellStatistics;
	/** Statistics up to the last green run: later results may belong to the regression itself. */
	readonly atGreen?: CellStatistics;
	/** The last conclusive result, if it was bad. */
	readonly lastFailure?: StoredResult;
	/** Titles of all earlier crashes, normalized. */
	readonly crashes: ReadonlySet<string>;
};

/** Summarizes each cell's history. Cells are processed one by one, so a long history need not fit into memory. */
export function pastOf(cells: Iterable<CellHistory>, green: StoredRun | undefined): ReadonlyMap<string, CellPast> {
	const pasts = new Map<string, CellPast>();
	for (const cell of cells) {
		const untilGreen = green ? cell.results.filter(({run}) => run <= green.id) : cell.results;
		const failure = lastFailure(cell);
		const crashed = cell.results.filter(({verdict}) => verdict === 'crash');
		pasts.set(cellKey(cell), {
			statistics: cellStatistics(cell),
			...(untilGreen.length > 0 && {atGreen: cellStatistics({...cell, results: untilGreen})}),
			...(failure && {lastFailure: failure}),
			crashes: new Set(crashed.map(({message}) => crashGist(message))),
		});
	}
	return pasts;
}

/** The normalized title of a crash message. */
export function crashGist(message = ''): string {
	return normalizeMessage(message.split('\n', 1)[0]);
}

import {type CellStatistics, cellStatistics, lastFailure} from '../results/history/flakes.ts';
import type {CellHistory, StoredResult, StoredRun} from '../results/history/index-rows.ts';
import {cellKey} from '../results/run/cell-summary.ts';
import {normalizeMessage} from '../results/run/normalize-message.ts';

/** What is known of a cell before this night. */
export type CellPast = {
	readonly statistics: CellStatistics;
	/** The same, of the runs up to the last green one: what came after may be the regression itself. */
	readonly atGreen?: CellStatistics;
	/** The last run that said anything of it, if that was bad. */
	readonly lastFailure?: StoredResult;
	/** What it ever crashed with, without addresses. */
	readonly crashes: ReadonlySet<string>;
};

/** Digests cell by cell: a whole history of results does not have to fit into memory. */
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

/** Of the title that a report begins with. */
export function crashGist(message = ''): string {
	return normalizeMessage(message.split('\n', 1)[0]);
}

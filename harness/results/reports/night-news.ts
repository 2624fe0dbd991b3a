import {cellKey} from '../cell-summary.ts';
import type {NightReport} from '../judge-night.ts';
import type {RunRecord} from '../read-run.ts';
import {isBad, type Reported} from './columns.ts';

/** What of a night is for everyone to see, each cell once: what is new and bad, what proved nothing, kernels that are lost. */
export function newsOf({findings, unproved, lost}: NightReport, {cells}: Pick<RunRecord, 'cells'>): Reported {
	const news = findings.filter(({kind}) => kind === 'regression' || kind === 'crash');
	const wanted = new Set([...news, ...unproved].map(cellKey));
	const byCell = Map.groupBy(cells.filter(isBad), cellKey);
	return {
		kernels: lost
			.filter(({isNews, isRegression}) => isNews || isRegression)
			.map(kernel => ({type: 'kernel', ...kernel})),
		cells: [...byCell].filter(([key]) => wanted.has(key)).map(([, [first]]) => first!),
	};
}

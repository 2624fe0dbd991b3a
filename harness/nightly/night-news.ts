// SPDX-License-Identifier: GPL-2.0
import type {Reported} from '../results/reports/kernel-results.ts';
import {cellKey} from '../results/run/cell-summary.ts';
import type {RunRecord} from '../results/run/read-run.ts';
import {isGreen} from '../results/run/verdict.ts';
import type {NightReport} from './judge-night.ts';

/** What CI should annotate, each cell once: new failures, inconclusive cells and lost kernels. */
export function newsOf({findings, unproved, lost}: NightReport, {cells}: Pick<RunRecord, 'cells'>): Reported {
	const news = findings.filter(({kind}) => kind === 'regression' || kind === 'crash');
	const wanted = new Set([...news, ...unproved].map(cellKey));
	const byCell = Map.groupBy(
		cells.filter(cell => !isGreen(cell)),
		cellKey,
	);
	return {
		kernels: lost
			.filter(({isNews, isRegression}) => isNews || isRegression)
			.map(kernel => ({type: 'kernel', ...kernel})),
		cells: [...byCell].filter(([key]) => wanted.has(key)).map(([, [first]]) => first!),
	};
}

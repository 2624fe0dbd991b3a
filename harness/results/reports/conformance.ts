// SPDX-License-Identifier: GPL-2.0
import {isUnclaimed} from '../run/claims.ts';
import type {CellEvent} from '../run/events.ts';
import {inReadingOrder, type ReadingOrder} from '../run/reading-order.ts';

/**
 * What a mechanism does in a case on a kernel, over all targets: `yes`: all that it claims passed; `no`: something
 * failed; `open`: nothing failed, but something has no verdict; `not claimed`; `not there`: the kernel does not have it.
 */
export type Answer = 'yes' | 'no' | 'open' | 'not claimed' | 'not there';

export const answers: readonly Answer[] = ['no', 'open', 'yes', 'not claimed', 'not there'];

export type ConformanceField = {
	readonly answer: Answer;
	readonly kernel: string;
	/** The cells that failed. */
	readonly evidence: readonly CellEvent[];
};

export type Conformance = {
	readonly mechanisms: readonly string[];
	/** One row for each case that more than one mechanism claims; the fields of a mechanism are one for each kernel. */
	readonly rows: readonly {readonly case: string; readonly fields: ReadonlyMap<string, readonly ConformanceField[]>}[];
};

/** Cases × mechanisms × kernels; undefined if the cells have one mechanism only. */
export function conformanceOf(cells: readonly CellEvent[], order: ReadingOrder | undefined): Conformance | undefined {
	const mechanisms = [...new Set(cells.map(({mechanism}) => mechanism))];
	if (mechanisms.length < 2) return undefined;
	const kernels = [...new Set(cells.map(({kernel}) => kernel))];
	const byCase = Map.groupBy(inReadingOrder(cells, order), cell => cell.case);
	const rows = [...byCase].map(([id, ofCase]) => ({
		case: id,
		fields: new Map(
			mechanisms.map(mechanism => [
				mechanism,
				fieldsOf(
					ofCase.filter(cell => cell.mechanism === mechanism),
					kernels,
				),
			]),
		),
	}));
	const isShared = ({fields}: (typeof rows)[number]) =>
		[...fields.values()].filter(row => row.some(({answer}) => answer !== 'not claimed')).length > 1;
	return {mechanisms, rows: rows.filter(isShared)};
}

function fieldsOf(cells: readonly CellEvent[], kernels: readonly string[]): readonly ConformanceField[] {
	return kernels.flatMap(kernel => {
		const ofKernel = cells.filter(cell => cell.kernel === kernel);
		return ofKernel.length > 0 ? [{kernel, answer: answerOf(ofKernel), evidence: ofKernel.filter(isNo)}] : [];
	});
}

function isNo({verdict}: CellEvent): boolean {
	return verdict === 'known' || verdict === 'fail' || verdict === 'crash' || verdict === 'hang';
}

function answerOf(cells: readonly CellEvent[]): Answer {
	if (cells.some(isNo)) return 'no';
	if (cells.some(({verdict}) => verdict === 'infra' || verdict === 'inconclusive')) return 'open';
	if (cells.some(({verdict}) => verdict === 'pass')) return 'yes';
	return cells.every(isUnclaimed) ? 'not claimed' : 'not there';
}

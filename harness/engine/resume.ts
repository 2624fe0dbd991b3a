// SPDX-License-Identifier: GPL-2.0
import {UsageError} from '../host/errors.ts';
import {cellTitle} from '../results/run/cell-name.ts';
import {cellKey} from '../results/run/cell-summary.ts';
import type {CellEvent, KernelEvent} from '../results/run/events.ts';
import type {NamedBeginning, NamedRun} from '../results/run/merge-runs.ts';
import {leakScanAfter} from './leak-scan.ts';
import type {Cell} from './plan.ts';

/** The results of an earlier run that the resuming run takes over. */
export type EarlierRun = NamedBeginning & {
	readonly kernels: readonly KernelEvent[];
	readonly cells: readonly CellEvent[];
};

/**
 * Splits a plan into the cells left to run and the results of the earlier run. A cell is done if it has a verdict other
 * than `infra`. Throws UsageError if the run holds cells of another plan.
 */
export function resumeRun(
	{name, record}: NamedRun,
	planned: readonly Cell[],
): {left: readonly Cell[]; earlier: EarlierRun} {
	const identity = (cell: Parameters<typeof cellKey>[0] & {readonly repeat: number}) =>
		`${cellKey(cell)} ${cell.repeat}`;
	const known = new Set(planned.flatMap(cell => [identity(cell), identity(leakScanAfter(cell))]));
	// A subtest belongs to the case that it is named after, and is done when that is.
	const plannedOf = (cell: CellEvent) =>
		casesAbove(cell.case)
			.map(id => identity({...cell, case: id}))
			.find(each => known.has(each));
	const foreign = record.cells.find(cell => plannedOf(cell) === undefined);
	if (foreign) {
		throw new UsageError(
			`${name} holds ${foreign.kernel} ${cellTitle(foreign)}, repeat ${foreign.repeat}, which this command does not request: resume with the options of that run.`,
		);
	}
	const done = new Set(record.cells.filter(({verdict}) => verdict !== 'infra').map(identity));
	const cells = record.cells.filter(cell => done.has(plannedOf(cell)!));
	const left = planned.filter(cell => !done.has(identity(cell)));
	// The resuming run reports the kernels that still have cells; the earlier run covers the others.
	const leftKernels = new Set(left.map(({kernel}) => kernel));
	const kernels = record.kernels.filter(({kernel}) => !leftKernels.has(kernel));
	return {left, earlier: {name, run: record.run, kernels, cells}};
}

/** The id of a cell's case and of the cases that it may be a subtest of, the longest first. */
function casesAbove(id: string): readonly string[] {
	const parts = id.split('/');
	return parts.slice(1).map((_, n) => parts.slice(0, parts.length - n).join('/'));
}

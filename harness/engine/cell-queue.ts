// SPDX-License-Identifier: GPL-2.0
import {suiteOf} from '../results/run/cell-name.ts';
import type {Cell} from './plan.ts';

/** The expected duration of a cell in ms, from earlier runs. */
export type ExpectedMs = (cell: Cell) => number | undefined;

/** Decides which cell runs next. */
export class CellQueue {
	#left: Cell[];

	constructor(cells: readonly Cell[], expectedMs?: ExpectedMs) {
		this.#left = longestFirst(cells, expectedMs);
	}

	/** Undefined when no cell is left. */
	take(): Cell | undefined {
		return this.#left.shift();
	}

	/** Removes all cells of a kernel and returns their number. */
	giveUp(kernel: string): number {
		const before = this.#left.length;
		this.#left = this.#left.filter(cell => cell.kernel !== kernel);
		return before - this.#left.length;
	}
}

/**
 * Sorts the cells of each suite, and the suites of each kernel by their longest cell, so that no worker is left alone
 * with a long case at the end. For a cell that has not run here yet, the guess is a quarter of its deadline, because
 * cells take far less than their deadlines.
 */
function longestFirst(cells: readonly Cell[], expectedMs: ExpectedMs | undefined): Cell[] {
	const guess = (cell: Cell) => expectedMs?.(cell) ?? cell.definition.deadlineMs / 4;
	return [...Map.groupBy(cells, ({kernel}) => kernel).values()].flatMap(ofKernel => {
		const suites = [...Map.groupBy(ofKernel, suiteOf).values()];
		const sorted = suites.map(suite => suite.toSorted((a, b) => guess(b) - guess(a)));
		return sorted.toSorted(([a], [b]) => guess(b!) - guess(a!)).flat();
	});
}

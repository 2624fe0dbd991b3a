import {suiteOf} from '../results/run/cell-name.ts';
import type {Cell} from './plan.ts';

/** What a cell took the last times, in ms. */
export type ExpectedMs = (cell: Cell) => number | undefined;

/** Which cell runs next. */
export class CellQueue {
	#left: Cell[];

	constructor(cells: readonly Cell[], expectedMs?: ExpectedMs) {
		this.#left = longestFirst(cells, expectedMs);
	}

	/** Nothing when none is left. */
	take(): Cell | undefined {
		return this.#left.shift();
	}

	/** Takes all cells of a kernel out; gives how many those were. */
	giveUp(kernel: string): number {
		const before = this.#left.length;
		this.#left = this.#left.filter(cell => cell.kernel !== kernel);
		return before - this.#left.length;
	}
}

/**
 * Within each suite of each kernel, and the suite with the longest one first, so that no worker is left alone with a long
 * case at the end. A deadline is a guess at what a case takes that has not run here yet; none of them comes near it.
 */
function longestFirst(cells: readonly Cell[], expectedMs: ExpectedMs | undefined): Cell[] {
	const guess = (cell: Cell) => expectedMs?.(cell) ?? cell.definition.deadlineMs / 4;
	return [...Map.groupBy(cells, ({kernel}) => kernel).values()].flatMap(ofKernel => {
		const suites = [...Map.groupBy(ofKernel, suiteOf).values()];
		const sorted = suites.map(suite => suite.toSorted((a, b) => guess(b) - guess(a)));
		return sorted.toSorted(([a], [b]) => guess(b!) - guess(a!)).flat();
	});
}

import {suiteOf} from '../results/events.ts';
import type {Cell} from './plan.ts';

/** What a cell took the last times, in ms. */
export type ExpectedMs = (cell: Cell) => number | undefined;

/**
 * Which cell runs next. Busy ones run one after the other beside those that wait, for as long as there are both: two at
 * once would only slow each other down, and a race that is starved proves nothing.
 */
export class CellQueue {
	#left: Cell[];
	#busyRunning = 0;

	constructor(cells: readonly Cell[], expectedMs?: ExpectedMs) {
		this.#left = longestFirst(cells, expectedMs);
	}

	/** The next cell for one that has ended `before`; nothing when none is left. */
	take(before?: Cell): Cell | undefined {
		if (before?.definition.isBusy) this.#busyRunning--;
		const [first] = this.#left;
		// Kernel after kernel, as each lane has one guest.
		const ofKernel = this.#left.filter(({kernel}) => kernel === first?.kernel);
		const next = ofKernel.find(({definition}) => Boolean(definition.isBusy) === (this.#busyRunning === 0)) ?? first;
		if (!next) return undefined;
		this.#left.splice(this.#left.indexOf(next), 1);
		if (next.definition.isBusy) this.#busyRunning++;
		return next;
	}

	/** Takes all cells of a kernel out; gives how many those were. */
	giveUp(kernel: string): number {
		const before = this.#left.length;
		this.#left = this.#left.filter(cell => cell.kernel !== kernel);
		return before - this.#left.length;
	}
}

/**
 * Within each suite of each kernel, and the suite with the longest one first, so that no lane is left alone with a long
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

// SPDX-License-Identifier: GPL-2.0
import {suiteOf} from './cell-name.ts';
import type {CellEvent, CellName, RunEvent} from './events.ts';

/** The order in which reports list suites and targets: that of the plan, because cells finish in any order. */
export type ReadingOrder = NonNullable<RunEvent['order']>;

/** The order of planned cells. `targets` has all possible targets in order. */
export function planOrder(
	cells: readonly Pick<CellName, 'case' | 'target'>[],
	targets: readonly string[],
): ReadingOrder {
	const present = new Set(cells.map(({target}) => target));
	return {suites: [...new Set(cells.map(suiteOf))], targets: targets.filter(target => present.has(target))};
}

/** Combines the orders of several runs. */
export function joinOrders(orders: readonly (ReadingOrder | undefined)[]): ReadingOrder {
	const known = orders.filter(order => order !== undefined);
	return {
		suites: [...new Set(known.flatMap(({suites}) => suites))],
		targets: [...new Set(known.flatMap(({targets}) => targets))],
	};
}

const unordered: ReadingOrder = {suites: [], targets: []};

/** Sorts by suite, case, mechanism, target and repeat. Suites and targets without a place in the order come last. */
export function inReadingOrder(cells: readonly CellEvent[], order = unordered): CellEvent[] {
	const {suites, targets} = orderFor(cells, order);
	return cells.toSorted(
		(a, b) =>
			suites.indexOf(suiteOf(a)) - suites.indexOf(suiteOf(b)) ||
			compare(a.case, b.case) ||
			compare(a.mechanism, b.mechanism) ||
			targets.indexOf(a.target) - targets.indexOf(b.target) ||
			a.repeat - b.repeat,
	);
}

/** Suites and targets that occur in these cells, in order; cells without a target come first. */
export function orderFor(
	cells: readonly CellEvent[],
	{suites, targets} = unordered,
): {readonly suites: readonly string[]; readonly targets: readonly (string | undefined)[]} {
	const [hasSuite, hasTarget] = [new Set(cells.map(suiteOf)), new Set(cells.map(({target}) => target))];
	return {
		suites: [...new Set([...suites, ...hasSuite])].filter(suite => hasSuite.has(suite)),
		targets: [...new Set([undefined, ...targets, ...hasTarget])].filter(target => hasTarget.has(target)),
	};
}

function compare(a: string, b: string): number {
	return a < b ? -1 : Number(a > b);
}

// SPDX-License-Identifier: GPL-2.0
import type {Cell} from '../engine/plan.ts';
import {type RunMatrixOptions, runMatrix} from '../engine/run-matrix.ts';
import type {CellEvent, Event} from '../results/run/events.ts';
import {FakeGuest} from './fake-guest.ts';

/** Runs cells in fake guests, by one worker. `verdicts` are those of all cells, subtests included. */
export async function runFake(cells: readonly Cell[], options: Partial<RunMatrixOptions> = {}) {
	const guests: FakeGuest[] = [];
	const events: Event[] = [];
	const running = runMatrix({
		cells,
		workers: 1,
		isolation: 'reuse',
		lateMs: 50,
		signal: new AbortController().signal,
		emit: event => events.push(event),
		async bootGuest() {
			const guest = new FakeGuest();
			guests.push(guest);
			return guest;
		},
		...options,
	});
	const [settled] = await Promise.allSettled([running]);
	const verdicts = cellsOf(events).map(({verdict}) => verdict);
	return {settled, guests, events, verdicts};
}

export const cellsOf = (events: readonly Event[]) =>
	events.filter((event): event is CellEvent => event.type === 'cell');

import {type CellEvent, cellTitle} from '../results/run/events.ts';
import type {Cell} from './plan.ts';
import type {Late} from './worker.ts';

/** After these a cell is run once more. */
type Held = {readonly cell: Cell; readonly event: CellEvent};

/** Events of cells whose guest may still complain about what they did: told when that cannot be any more. */
export class HeldCells {
	readonly #tell: (event: CellEvent) => void;
	#held: Held[] = [];

	constructor(tell: (event: CellEvent) => void) {
		this.#tell = tell;
	}

	add(held: Held): void {
		this.#held.push(held);
	}

	/** The cell that passed has crashed the kernel after all. */
	charge({cell, report, consolePath}: Late): void {
		this.#held = this.#held.map(held =>
			held.cell === cell ? {cell, event: charged(held.event, {report, consolePath})} : held,
		);
	}

	/** Tells all but these cells, in their order. */
	release(stillOpen: readonly Cell[]): void {
		const ready = this.#held.filter(({cell}) => !stillOpen.includes(cell));
		this.#held = this.#held.filter(({cell}) => stillOpen.includes(cell));
		for (const {event} of ready) this.#tell(event);
	}
}

function charged(event: CellEvent, {report, consolePath}: Pick<Late, 'report' | 'consolePath'>): CellEvent {
	return {
		...event,
		verdict: report.kind === 'stall' ? 'hang' : 'crash',
		message: `${report.title}\nThe kernel reported this after ${cellTitle(event)} had ended.`,
		evidence: {...event.evidence, report: {task: report.task, frames: report.frames}},
		console: report.text,
		consolePath,
	};
}

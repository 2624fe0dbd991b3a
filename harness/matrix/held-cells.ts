import {type CellEvent, cellTitle, type Verdict} from '../results/events.ts';
import type {Late} from './lane.ts';
import type {Cell} from './plan.ts';

/** After these a cell is run once more. */
export const badVerdicts: ReadonlySet<Verdict> = new Set(['fail', 'crash', 'hang', 'infra']);

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
		message: `${report.title}\nThe kernel said so after ${cellTitle(event)} had ended.`,
		evidence: {...event.evidence, report: {task: report.task, frames: report.frames}},
		console: report.text,
		consolePath,
	};
}

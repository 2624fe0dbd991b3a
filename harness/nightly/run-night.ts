// SPDX-License-Identifier: GPL-2.0
import type {Cell} from '../engine/plan.ts';
import {retryPolicy} from '../engine/retry-policy.ts';
import type {Isolation} from '../guest/isolation.ts';
import type {StoredRun} from '../results/history/index-rows.ts';
import type {HistoryStore} from '../results/history/store.ts';
import {countVerdicts, suiteOf} from '../results/run/cell-name.ts';
import {cellKey} from '../results/run/cell-summary.ts';
import type {CellEvent, EndEvent, Event, KernelEvent, RunEvent} from '../results/run/events.ts';
import {summarizeKernels, sumOfNotRun} from '../results/run/kernel-summary.ts';
import type {RunRecord} from '../results/run/read-run.ts';
import {type CellPast, pastOf} from './cell-past.ts';
import {isToConfirm, judgeNight, type NightReport} from './judge-night.ts';
import type {KnownFailure} from './known-failures.ts';
import {findingsOf} from './night-findings.ts';

/** Runs cells and emits all events; rejects when interrupted. */
export type CellRunner = (
	cells: readonly Cell[],
	options: {readonly emit: (event: Event) => void; readonly isolation: Isolation},
) => Promise<unknown>;

export type NightOptions = {
	/** The whole matrix. */
	readonly cells: readonly Cell[];
	readonly runCells: CellRunner;
	/** Receives all events of the night, as those of one run. */
	readonly emit: (event: Event) => void;
	readonly history: PastRuns;
	readonly known?: readonly KnownFailure[];
	/** Time budget; what is left after the matrix is spent repeating races. */
	readonly hours: number;
	readonly isRequested?: (kernel: string) => boolean;
	readonly now?: () => number;
};

/** What a night needs to know about earlier ones. */
export type PastRuns = {
	readonly past: ReadonlyMap<string, CellPast>;
	readonly last?: StoredRun;
	readonly green?: StoredRun;
};

export type FinishedNight = {readonly record: RunRecord; readonly report: NightReport};

/** The history of all cells, the last night and the last green night. */
export function pastRuns(store: HistoryStore): PastRuns {
	const nights = store.runs().filter(({command, isRunning}) => command === 'nightly' && !isRunning);
	const [last, green] = [nights.at(-1), nights.findLast(({isGreen}) => isGreen)];
	return {past: pastOf(store.cells(), green), ...(last && {last}), ...(green && {green})};
}

/** Runs the matrix, reruns new failures ten times, repeats races until the time is up, and judges the result. */
export async function runNight(options: NightOptions): Promise<FinishedNight> {
	const {cells, emit, history, known = [], hours, isRequested = () => false, now = () => performance.now()} = options;
	const startedAt = now();
	const night = new NightLog(emit);
	const run = async (planned: readonly Cell[], isolation: Isolation): Promise<readonly CellEvent[]> => {
		const finished: CellEvent[] = [];
		if (planned.length === 0) return finished;
		await options.runCells(night.number(planned), {isolation, emit: event => night.add(event, finished)});
		return finished;
	};
	const confirmed = new Set<string>();
	const confirm = async (events: readonly CellEvent[]) => {
		const failed = events.filter(
			cell => isToConfirm(cell, history.past.get(cellKey(cell)), known) && !confirmed.has(cellKey(cell)),
		);
		const names = [...Map.groupBy(failed, ({kernel}) => kernel).values()].flatMap(ofKernel =>
			[...new Set(ofKernel.map(cellKey))].slice(0, retryPolicy.newFailuresPerKernel),
		);
		for (const name of names) confirmed.add(name);
		// A kernel that was lost is not tried again.
		const again = cells.filter(cell => names.includes(cellKey(cell)) && night.isReady(cell.kernel));
		// Each rerun has a fresh guest, so no other cell can be the cause.
		return run(
			again.flatMap(cell => Array.from({length: retryPolicy.rerunsPerNewFailure}, () => cell)),
			'restore',
		);
	};

	const matrix = [...(await run(cells, 'reuse'))];
	const reruns = [...(await confirm(matrix))];
	const readyRaces = () => cells.filter(cell => suiteOf(cell) === 'race' && night.isReady(cell.kernel));
	const endsAt = startedAt + hours * 3_600_000;
	// An overestimate, because guests run in parallel.
	let roundMs = matrix.filter(cell => suiteOf(cell) === 'race').reduce((sum, {durationMs}) => sum + durationMs, 0);
	for (let races = readyRaces(); races.length > 0 && now() + roundMs < endsAt; races = readyRaces()) {
		const roundAt = now();
		const round = await run(races, 'reuse');
		matrix.push(...round);
		reruns.push(...(await confirm(round)));
		roundMs = now() - roundAt;
	}

	const report = judgeNight({
		kernels: night.kernels,
		cells: matrix,
		reruns,
		past: history.past,
		known,
		before: [history.last, history.green].filter(each => each !== undefined),
		isRequested,
	});
	return {
		record: night.end({
			durationMs: Math.round(now() - startedAt),
			exitCode: report.exitCode,
			findings: findingsOf(report),
		}),
		report,
	};
}

/** Combines consecutive stages into one run. */
class NightLog {
	readonly #emit: (event: Event) => void;
	readonly #repeats = new Map<string, number>();
	readonly #cells: CellEvent[] = [];
	readonly kernels: KernelEvent[] = [];
	#run: RunEvent | undefined;

	constructor(emit: (event: Event) => void) {
		this.#emit = emit;
	}

	/** Numbers repeats of a cell uniquely across all stages. */
	number(cells: readonly Cell[]): readonly Cell[] {
		return cells.map(cell => {
			const repeat = this.#repeats.get(cellKey(cell)) ?? 0;
			this.#repeats.set(cellKey(cell), repeat + 1);
			return {...cell, repeat};
		});
	}

	add(event: Event, finished: CellEvent[]): void {
		if (event.type === 'end') return;
		if (event.type === 'run') {
			if (this.#run) return;
			this.#run = {...event, command: 'nightly'};
			this.#emit(this.#run);
			return;
		}
		if (event.type === 'kernel') {
			if (this.kernels.some(({kernel, state}) => kernel === event.kernel && state === event.state)) return;
			this.kernels.push(event);
		}
		if (event.type === 'cell') {
			finished.push(event);
			this.#cells.push(event);
		}
		this.#emit(event);
	}

	isReady(kernel: string): boolean {
		return summarizeKernels(this.kernels).get(kernel)?.state === 'ready';
	}

	end(about: Omit<EndEvent, 'type' | 'counts' | 'notRun'>): RunRecord {
		const notRun = sumOfNotRun(this.kernels);
		const end: EndEvent = {type: 'end', counts: countVerdicts(this.#cells), ...(notRun > 0 && {notRun}), ...about};
		this.#emit(end);
		// Every runner emits a run event first.
		return {run: this.#run!, kernels: this.kernels, cells: this.#cells, measurements: [], end, isInterrupted: false};
	}
}

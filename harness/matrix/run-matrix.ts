import {messageOf} from '../host/errors.ts';
import {type CellEvent, countVerdicts, type EndEvent, type Event, exitCode, suiteOf} from '../results/events.ts';
import {CellQueue, type ExpectedMs} from './cell-queue.ts';
import type {Guest} from './guest.ts';
import {badVerdicts, HeldCells} from './held-cells.ts';
import type {Isolation} from './isolation.ts';
import {Lane} from './lane.ts';
import {leakDetector, leakScanAfter} from './leak-scan.ts';
import type {Cell} from './plan.ts';
import type {CellOutcome} from './run-cell.ts';

export type RunMatrixOptions = {
	readonly cells: readonly Cell[];
	/** How cells ended that count as this run's, though they were run before it. */
	readonly finished?: readonly CellEvent[];
	/** A fresh guest of a kernel. */
	readonly bootGuest: (kernel: string, options: {signal: AbortSignal}) => Promise<Guest>;
	readonly isolation: Isolation;
	readonly emit: (event: Event) => void;
	readonly signal: AbortSignal;
	/** Guests at once. */
	readonly lanes: number;
	/** What a cell took the last times; it decides who begins first. */
	readonly expectedMs?: ExpectedMs;
	/** How long after its end a cell may still be charged with a complaint, on an idle host. */
	readonly lateMs?: number;
	/** One that was asked for is not among the cells: it could not be had. */
	readonly isKernelMissing?: boolean;
	/** Whether a cell that fails is run once more, in a fresh guest. */
	readonly isConfirming?: boolean;
};

/** So many cells are run again and fail again; then it is known that the matter is no flaky one. */
const confirmedAtMost = 8;

/** Runs all cells; resolves with the last event. Rejects only with the signal's reason, or with what `emit` throws. */
export async function runMatrix(options: RunMatrixOptions): Promise<EndEvent> {
	const {cells, emit, isolation, signal, lanes, isKernelMissing = false, isConfirming = true} = options;
	const startedAt = performance.now();
	const finished: CellEvent[] = [...(options.finished ?? [])];
	const kernels = new BootedKernels(options);
	const queue = new CellQueue(cells, options.expectedMs);
	let confirmed = 0;

	const work = async () => {
		const held = new HeldCells(event => {
			finished.push(event);
			emit(event);
		});
		await using lane = new Lane({
			bootGuest: kernel => kernels.boot(kernel),
			isolation,
			signal,
			onLate: late => held.charge(late),
			...(options.lateMs !== undefined && {lateMs: options.lateMs}),
		});
		const run = async (cell: Cell, {isRepeatable = true}: {isRepeatable?: boolean} = {}) => {
			const {kernel, mechanism, case: id, target, repeat} = cell;
			const name = {kernel, mechanism, case: id, ...(target && {target}), repeat};
			emit({type: 'started', ...name});
			const outcome = await lane.run(cell);
			const {verdict, durationMs} = outcome;
			if (lane.recent.includes(cell)) emit({type: 'ended', ...name, verdict, durationMs});
			let again: CellOutcome | undefined;
			const isBad = badVerdicts.has(outcome.verdict) && !kernels.hasFailed(kernel);
			if (isBad && isRepeatable && isConfirming && confirmed < confirmedAtMost) {
				again = await lane.run(cell, {isFresh: true});
				if (again.verdict !== 'pass') confirmed++;
			}
			held.add({cell, event: cellEvent(cell, outcome, again)});
			held.release(lane.recent);
		};
		let before: Cell | undefined;
		try {
			for (let cell = queue.take(); ; cell = queue.take(before)) {
				const isEndOfSuite = before && !(cell && cell.kernel === before.kernel && suiteOf(cell) === suiteOf(before));
				// A fresh guest has nothing of what was leaked.
				if (isEndOfSuite && lane.hasOption(leakDetector)) await run(leakScanAfter(before!), {isRepeatable: false});
				if (!cell) break;
				await run(cell);
				before = cell;
			}
			await lane.settle();
		} finally {
			// Also when interrupted: what has passed has passed.
			held.release([]);
		}
	};
	const ends = await Promise.allSettled(Array.from({length: Math.max(1, Math.min(lanes, cells.length))}, work));
	signal.throwIfAborted();
	const broken = ends.find(end => end.status === 'rejected');
	if (broken) throw broken.reason;

	const counts = countVerdicts(finished);
	const end: EndEvent = {
		type: 'end',
		counts,
		durationMs: Math.round(performance.now() - startedAt),
		exitCode: exitCode(counts, {isKernelMissing: isKernelMissing || kernels.isOneMissing}),
	};
	emit(end);
	return end;
}

/** Says of each kernel once how it is; one that has failed is not tried again. */
class BootedKernels {
	readonly #options: RunMatrixOptions;
	readonly #ready = new Set<string>();
	readonly #failed = new Map<string, unknown>();

	constructor(options: RunMatrixOptions) {
		this.#options = options;
	}

	get isOneMissing(): boolean {
		return this.#failed.size > 0;
	}

	hasFailed(kernel: string): boolean {
		return this.#failed.has(kernel);
	}

	async boot(kernel: string): Promise<Guest> {
		if (this.#failed.has(kernel)) throw this.#failed.get(kernel);
		const {bootGuest, emit, signal} = this.#options;
		try {
			const guest = await bootGuest(kernel, {signal});
			if (!this.#ready.has(kernel)) {
				emit({type: 'kernel', kernel, state: 'ready', release: guest.release, bootMs: guest.bootMs});
				this.#ready.add(kernel);
			}
			return guest;
		} catch (error) {
			signal.throwIfAborted();
			if (!this.#failed.has(kernel)) emit({type: 'kernel', kernel, state: 'failed', reason: messageOf(error)});
			this.#failed.set(kernel, error);
			throw error;
		}
	}
}

/** The event that tells how a cell ended. */
export function cellEvent(
	cell: Cell,
	{verdict, durationMs, message, evidence, console, consolePath}: CellOutcome,
	again?: CellOutcome,
): CellEvent {
	const {kernel, mechanism, case: id, target, repeat} = cell;
	return {
		type: 'cell',
		kernel,
		mechanism,
		case: id,
		...(target && {target}),
		repeat,
		verdict,
		durationMs,
		...(message !== undefined && {message}),
		...(again && {
			again: {verdict: again.verdict, ...(again.message !== undefined && {message: again.message})},
			...(again.verdict === 'pass' && {flaky: true}),
		}),
		...(evidence && {evidence}),
		...(console !== undefined && {console}),
		...(consolePath !== undefined && {consolePath}),
	};
}

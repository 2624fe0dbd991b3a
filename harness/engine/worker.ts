// SPDX-License-Identifier: GPL-2.0
import {setTimeout as sleep} from 'node:timers/promises';
import type {KernelReport} from '../crash/crash-report.ts';
import type {Guest} from '../guest/guest.ts';
import {GuestWatch} from '../guest/guest-watch.ts';
import type {Isolation} from '../guest/isolation.ts';
import {GuestError, messageOf} from '../host/errors.ts';
import {cellTitle} from '../results/run/cell-name.ts';
import type {Cell} from './plan.ts';
import type {FailureReruns} from './rerun-failures.ts';
import {retryPolicy} from './retry-policy.ts';
import {type CellOutcome, runCell} from './run-cell.ts';

/** On an idle host, kernel workers and RCU callbacks finish within this time. Scaled like deadlines. */
const lateMs = 1000;

/** A cell and its outcome, which no later report can change. */
export type FinishedCell = {
	readonly cell: Cell;
	readonly outcome: CellOutcome;
	/** The outcome of the rerun in a fresh guest, which tells a flaky cell from a broken one. */
	readonly again?: CellOutcome;
	/** The cell had passed before the kernel reported a problem that the cell caused. */
	readonly isLate?: true;
};

export type WorkerOptions = {
	/** Boots or restores a fresh guest of a kernel. */
	readonly bootGuest: (kernel: string) => Promise<Guest>;
	/** Unless this is `reuse`, each cell gets its own guest. */
	readonly isolation: Isolation;
	readonly signal: AbortSignal;
	/** Called when a case has ended but a late report may still change its outcome. */
	readonly onEnded?: (cell: Cell, outcome: CellOutcome) => void;
	/** Called once for each cell that ran, in order, as soon as its outcome is final. */
	readonly onFinished?: (finished: FinishedCell) => void;
	/** Reruns failed cells in fresh guests; without it, none is rerun. */
	readonly reruns?: FailureReruns;
	readonly lateMs?: number;
};

/** A cell did not run, or not again, because there is no guest of its kernel; the cause says why. */
class NoGuestError extends GuestError {
	override readonly name = 'NoGuestError';
}

/** The result of `work`; undefined if it needs a guest and none can be booted. */
export async function unlessNoGuest<T>(work: Promise<T>): Promise<T | undefined> {
	try {
		return await work;
	} catch (error) {
		if (!(error instanceof NoGuestError)) throw error;
		return undefined;
	}
}

/** Runs cells one after the other, in the same guest while isolation and kernel allow it and the guest is clean. */
export class Worker implements AsyncDisposable {
	readonly #options: WorkerOptions;
	#guest: Guest | undefined;
	#kernel: string | undefined;
	/** Cells that passed in this guest, the newest last. */
	#passed: {readonly cell: Cell; readonly at: number}[] = [];
	/** Finished cells that a late report may still change, the newest last. */
	#held: FinishedCell[] = [];

	constructor(options: WorkerOptions) {
		this.#options = options;
	}

	/** Whether the kernel of the guest that ran the last cell has this option; false once that guest is gone. */
	hasOption(option: string): boolean {
		return this.#guest?.hasOption(option) ?? false;
	}

	/** Cells that passed so recently that they may have caused a report that comes now. */
	get #recent(): readonly Cell[] {
		const windowMs = (this.#options.lateMs ?? lateMs) * (this.#guest?.slowness ?? 1);
		this.#passed = this.#passed.filter(({at}) => performance.now() - at < windowMs);
		return this.#passed.map(({cell}) => cell);
	}

	/**
	 * Runs a cell and resolves with its outcome so far; `onFinished` gets the final one. A cell runs again if a report of
	 * an earlier cell disturbed it, if it was inconclusive, or if it met a known fault of the emulator: it has proved
	 * nothing. Rejects with the signal's reason, or with NoGuestError if there is no guest and so no verdict.
	 */
	async run(cell: Cell, {isFresh = false, isRepeatable = true} = {}): Promise<CellOutcome> {
		const outcome = await this.#run(cell, {isFresh});
		if (this.#recent.includes(cell)) this.#options.onEnded?.(cell, outcome);
		const again = isRepeatable
			? await this.#options.reruns?.confirm(outcome, () =>
					unlessNoGuest(this.#run(cell, {isFresh: true, isAgain: true})),
				)
			: undefined;
		this.#held.push({cell, outcome, ...(again && {again})});
		this.#handOut(this.#recent);
		return outcome;
	}

	/** Hands out all held cells, even if late reports are still possible. */
	handOutAll(): void {
		this.#handOut([]);
	}

	/** `isAgain`: a run that is only counted, so that the memory of its guest is not worth a file. */
	async #run(cell: Cell, {isFresh, isAgain}: {isFresh: boolean; isAgain?: boolean}): Promise<CellOutcome> {
		if (isFresh || cell.definition.isAlone) await this.#throwAway();
		else if (this.#kernel !== cell.kernel) await this.settle();
		const outcome = await this.#runCharged(cell, {isAgain});
		const isOpen = outcome.verdict === 'inconclusive' || outcome.isEmulatorsFault;
		if (!isOpen) return outcome;
		const again = await unlessNoGuest(this.#runCharged(cell, {isAgain}));
		if (!again) return outcome;
		return {...again, evidence: {...again.evidence, askedBefore: `${outcome.verdict}: ${outcome.message}`}};
	}

	async #runCharged(cell: Cell, {isAgain}: {isAgain: boolean | undefined}): Promise<CellOutcome> {
		const recent = this.#recent;
		const outcome = await this.#runOnce(cell, {isAgain});
		if (!outcome.report || recent.length === 0) return outcome;
		const isOwn = !outcome.isReportLate && !outcome.report.isAsynchronous;
		if (isOwn) return outcome;
		const suspects = outcome.isReportLate ? recent : [...recent, cell];
		const {culprit, outcomes} = await this.#findCulprit(outcome.report, suspects);
		if (culprit === cell) return outcome;
		this.#charge(culprit, outcome.report, outcome);
		const proved = outcomes.get(cell);
		return proved ?? this.#runOnce(cell, {isAgain});
	}

	/** Waits for late reports of the last cells, then ends the guest. All outcomes are final then. */
	async settle(): Promise<void> {
		const guest = this.#guest;
		const recent = this.#recent;
		if (guest && recent.length > 0) {
			const {signal} = this.#options;
			await sleep((this.#options.lateMs ?? lateMs) * guest.slowness, undefined, {signal});
			const watch = GuestWatch.of(guest);
			await watch.settled(guest.console);
			const [report] = watch.reports;
			if (report) {
				const memory = await guest.saveMemory?.();
				const {culprit} = await this.#findCulprit(report, recent);
				this.#charge(culprit, report, {consolePath: guest.console.path, ...(memory && {memory})});
			}
		}
		await this.#throwAway();
		this.handOutAll();
	}

	async [Symbol.asyncDispose](): Promise<void> {
		await this.#throwAway();
	}

	async #runOnce(
		cell: Cell,
		{settleMs = 0, isAgain = false}: {settleMs?: number; isAgain?: boolean | undefined},
	): Promise<CellOutcome> {
		const {bootGuest, isolation, signal} = this.#options;
		signal.throwIfAborted();
		try {
			this.#guest ??= await bootGuest(cell.kernel);
			this.#kernel = cell.kernel;
		} catch (error) {
			signal.throwIfAborted();
			throw new NoGuestError(`${cell.kernel} does not boot: ${messageOf(error)}`, {cause: error});
		}
		// A guest that ends with its cell can report nothing later.
		const waitMs = cell.definition.isAlone ? (this.#options.lateMs ?? lateMs) : settleMs;
		const ran = await runCell(cell, this.#guest, {signal, settleMs: waitMs * this.#guest.slowness});
		const memory = isLost(ran) && !isAgain ? await this.#guest.saveMemory?.() : undefined;
		const outcome = memory ? {...ran, memory} : ran;
		if (outcome.isGuestDirty || isolation !== 'reuse' || cell.definition.isAlone) await this.#throwAway();
		else if (outcome.verdict === 'pass') this.#passed.push({cell, at: performance.now()});
		signal.throwIfAborted();
		return outcome;
	}

	/**
	 * Finds the cell that caused a report: runs each suspect alone, with time to cause the report again. If none does,
	 * the newest suspect is charged.
	 */
	async #findCulprit(
		report: KernelReport,
		suspects: readonly Cell[],
	): Promise<{culprit: Cell; outcomes: ReadonlyMap<Cell, CellOutcome>}> {
		const outcomes = new Map<Cell, CellOutcome>();
		const newestFirst = suspects.toReversed().slice(0, retryPolicy.suspectsPerReport);
		if (newestFirst.length === 1) return {culprit: newestFirst[0]!, outcomes};
		for (const suspect of newestFirst) {
			await this.#throwAway();
			const outcome = await unlessNoGuest(
				this.#runOnce(suspect, {settleMs: this.#options.lateMs ?? lateMs, isAgain: true}),
			);
			if (!outcome) break;
			outcomes.set(suspect, outcome);
			if (outcome.report?.title === report.title) return {culprit: suspect, outcomes};
		}
		return {culprit: newestFirst[0]!, outcomes};
	}

	/** Turns a passed cell into a crash or hang. */
	#charge(cell: Cell, report: KernelReport, traces: Traces): void {
		this.#held = this.#held.map(held =>
			held.cell === cell ? {...held, outcome: charged(held, report, traces), isLate: true} : held,
		);
	}

	/** Keeps the order of the cells in the run's events. */
	#handOut(stillOpen: readonly Cell[]): void {
		const ready = this.#held.filter(({cell}) => !stillOpen.includes(cell));
		this.#held = this.#held.filter(({cell}) => stillOpen.includes(cell));
		for (const finished of ready) this.#options.onFinished?.(finished);
	}

	async #throwAway(): Promise<void> {
		const guest = this.#guest;
		this.#guest = undefined;
		this.#passed = [];
		await guest?.[Symbol.asyncDispose]();
	}
}

/** What a report has left on the host. */
type Traces = Pick<CellOutcome, 'consolePath' | 'memory'>;

/** The guest has crashed or hangs. */
function isLost({verdict}: CellOutcome): boolean {
	return verdict === 'crash' || verdict === 'hang';
}

function charged({cell, outcome}: FinishedCell, report: KernelReport, {consolePath, memory}: Traces): CellOutcome {
	return {
		...outcome,
		verdict: report.kind === 'stall' ? 'hang' : 'crash',
		message: `${report.title}\nThe kernel reported this after ${cellTitle(cell)} had ended.`,
		evidence: {...outcome.evidence, report: {task: report.task, frames: report.frames}},
		console: report.text,
		...(consolePath !== undefined && {consolePath}),
		...(memory && {memory}),
	};
}

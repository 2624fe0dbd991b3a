import {setTimeout as sleep} from 'node:timers/promises';
import type {KernelReport} from '../crash/crash-report.ts';
import type {Guest} from '../guest/guest.ts';
import {GuestWatch} from '../guest/guest-watch.ts';
import type {Isolation} from '../guest/isolation.ts';
import {GuestError, messageOf} from '../host/errors.ts';
import type {Cell} from './plan.ts';
import {retryPolicy} from './retry-policy.ts';
import {type CellOutcome, runCell} from './run-cell.ts';

/** Workers and RCU callbacks of an idle host are done by then; scaled as deadlines are. */
const lateMs = 1000;

/** A complaint that came when the cell had passed already, and that is its matter. */
export type Late = {readonly cell: Cell; readonly report: KernelReport; readonly consolePath: string};

export type WorkerOptions = {
	/** A fresh guest of a kernel. */
	readonly bootGuest: (kernel: string) => Promise<Guest>;
	/** Unless it is `reuse`, no cell gets the guest of another. */
	readonly isolation: Isolation;
	readonly signal: AbortSignal;
	/** Called before the cell that was disturbed by it has its outcome. */
	readonly onLate?: (late: Late) => void;
	readonly lateMs?: number;
};

/** A cell has not run, or could not be run once more, as its kernel gives no guest; the cause says why. */
class NoGuestError extends GuestError {
	override readonly name = 'NoGuestError';
}

/** What `work` gives; nothing where that needs a guest and there is none to be had. */
export async function unlessNoGuest<T>(work: Promise<T>): Promise<T | undefined> {
	try {
		return await work;
	} catch (error) {
		if (!(error instanceof NoGuestError)) throw error;
		return undefined;
	}
}

/** Runs cells one after the other, in one guest for as long as isolation and kernel allow and it is clean. */
export class Worker implements AsyncDisposable {
	readonly #options: WorkerOptions;
	#guest: Guest | undefined;
	#kernel: string | undefined;
	/** Passed in this guest, the newest last. */
	#passed: {readonly cell: Cell; readonly at: number}[] = [];

	constructor(options: WorkerOptions) {
		this.#options = options;
	}

	/** Whether the kernel of the guest that ran the last cell has this option; false once that guest is gone. */
	hasOption(option: string): boolean {
		return this.#guest?.hasOption(option) ?? false;
	}

	/** Cells that have passed so lately that a complaint may still be theirs. */
	get recent(): readonly Cell[] {
		const windowMs = (this.#options.lateMs ?? lateMs) * (this.#guest?.slowness ?? 1);
		this.#passed = this.#passed.filter(({at}) => performance.now() - at < windowMs);
		return this.#passed.map(({cell}) => cell);
	}

	/**
	 * The cell's verdict. A complaint that it has not earned is told to `onLate` and the cell runs again. So does one that
	 * was inconclusive or met a known fault of the emulator: nothing was wrong and nothing was proved, so the predicate is
	 * still open. Rejects with the signal's reason, or with NoGuestError where there is no verdict for want of a guest.
	 */
	async run(cell: Cell, {isFresh = false}: {isFresh?: boolean} = {}): Promise<CellOutcome> {
		if (isFresh) await this.#throwAway();
		else if (this.#kernel !== cell.kernel) await this.settle();
		const outcome = await this.#runCharged(cell);
		const isOpen = outcome.verdict === 'inconclusive' || outcome.isEmulatorsFault;
		if (!isOpen) return outcome;
		const again = await unlessNoGuest(this.#runCharged(cell));
		if (!again) return outcome;
		return {...again, evidence: {...again.evidence, askedBefore: `${outcome.verdict}: ${outcome.message}`}};
	}

	async #runCharged(cell: Cell): Promise<CellOutcome> {
		const recent = this.recent;
		const outcome = await this.#runOnce(cell);
		if (!outcome.report || recent.length === 0) return outcome;
		const isOwn = !outcome.isReportLate && !outcome.report.isAsynchronous;
		if (isOwn) return outcome;
		const suspects = outcome.isReportLate ? recent : [...recent, cell];
		const {culprit, outcomes} = await this.#findCulprit(outcome.report, suspects);
		if (culprit === cell) return outcome;
		this.#tellLate(culprit, outcome);
		const proved = outcomes.get(cell);
		return proved ?? this.#runOnce(cell);
	}

	/** Waits for what the last cells may still cause, then gives the guest up. */
	async settle(): Promise<void> {
		const guest = this.#guest;
		const recent = this.recent;
		if (guest && recent.length > 0) {
			const {signal} = this.#options;
			await sleep((this.#options.lateMs ?? lateMs) * guest.slowness, undefined, {signal});
			const watch = GuestWatch.of(guest);
			await watch.settled(guest.console);
			const [report] = watch.reports;
			if (report) {
				const {culprit} = await this.#findCulprit(report, recent);
				this.#tellLate(culprit, {report, consolePath: guest.console.path});
			}
		}
		await this.#throwAway();
	}

	async [Symbol.asyncDispose](): Promise<void> {
		await this.#throwAway();
	}

	async #runOnce(cell: Cell, {settleMs = 0}: {settleMs?: number} = {}): Promise<CellOutcome> {
		const {bootGuest, isolation, signal} = this.#options;
		signal.throwIfAborted();
		try {
			this.#guest ??= await bootGuest(cell.kernel);
			this.#kernel = cell.kernel;
		} catch (error) {
			signal.throwIfAborted();
			throw new NoGuestError(`${cell.kernel} does not boot: ${messageOf(error)}`, {cause: error});
		}
		const outcome = await runCell(cell, this.#guest, {signal, settleMs: settleMs * this.#guest.slowness});
		if (outcome.isGuestDirty || isolation !== 'reuse') await this.#throwAway();
		else if (outcome.verdict === 'pass') this.#passed.push({cell, at: performance.now()});
		signal.throwIfAborted();
		return outcome;
	}

	/**
	 * Whose complaint it is, by letting each that can have caused it run alone, with time to cause it again. Where none
	 * does, the one before it is charged.
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
			const outcome = await unlessNoGuest(this.#runOnce(suspect, {settleMs: this.#options.lateMs ?? lateMs}));
			if (!outcome) break;
			outcomes.set(suspect, outcome);
			if (outcome.report?.title === report.title) return {culprit: suspect, outcomes};
		}
		return {culprit: newestFirst[0]!, outcomes};
	}

	#tellLate(cell: Cell, {report, consolePath}: Pick<CellOutcome, 'report' | 'consolePath'>): void {
		this.#options.onLate?.({cell, report: report!, consolePath: consolePath ?? ''});
	}

	async #throwAway(): Promise<void> {
		const guest = this.#guest;
		this.#guest = undefined;
		this.#passed = [];
		await guest?.[Symbol.asyncDispose]();
	}
}

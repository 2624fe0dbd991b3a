import {messageOf} from '../host/errors.ts';
import type {Guest} from './guest.ts';
import type {Isolation} from './isolation.ts';
import type {Cell} from './plan.ts';
import {type CellOutcome, runCell} from './run-cell.ts';

export type LaneOptions = {
	/** A fresh guest of a kernel. */
	readonly bootGuest: (kernel: string) => Promise<Guest>;
	/** Unless it is `reuse`, no cell gets the guest of another. */
	readonly isolation: Isolation;
	readonly signal: AbortSignal;
};

/** Runs cells one after the other, in one guest for as long as isolation and kernel allow and it is clean. */
export class Lane implements AsyncDisposable {
	readonly #options: LaneOptions;
	#guest: Guest | undefined;
	#kernel: string | undefined;

	constructor(options: LaneOptions) {
		this.#options = options;
	}

	/** Whether the kernel of the guest that ran the last cell has this option; false once that guest is gone. */
	hasOption(option: string): boolean {
		return this.#guest?.hasOption(option) ?? false;
	}

	/** The cell's verdict, `infra` where no guest can be had. Rejects only with the signal's reason. */
	async run(cell: Cell): Promise<CellOutcome> {
		const {bootGuest, isolation, signal} = this.#options;
		signal.throwIfAborted();
		if (this.#kernel !== cell.kernel) await this.#throwAway();
		try {
			this.#guest ??= await bootGuest(cell.kernel);
			this.#kernel = cell.kernel;
		} catch (error) {
			signal.throwIfAborted();
			const message = `${cell.kernel} does not boot: ${messageOf(error)}`;
			return {verdict: 'infra', durationMs: 0, message, error, isGuestDirty: false};
		}
		const outcome = await runCell(cell, this.#guest, {signal});
		if (outcome.isGuestDirty || isolation !== 'reuse') await this.#throwAway();
		signal.throwIfAborted();
		return outcome;
	}

	async [Symbol.asyncDispose](): Promise<void> {
		await this.#throwAway();
	}

	async #throwAway(): Promise<void> {
		const guest = this.#guest;
		this.#guest = undefined;
		await guest?.[Symbol.asyncDispose]();
	}
}

// SPDX-License-Identifier: GPL-2.0
import type {Guest} from '../guest/guest.ts';
import type {Event} from '../results/run/events.ts';
import {failureOf} from './kernel-failure.ts';

export type BootedKernelsOptions = {
	/** Boots or restores a fresh guest of a kernel. */
	readonly bootGuest: (kernel: string, options: {signal: AbortSignal}) => Promise<Guest>;
	readonly emit: (event: Event) => void;
	readonly signal: AbortSignal;
};

/** Reports each kernel as ready or failed, each at most once. A kernel that failed is not booted again. */
export class BootedKernels {
	readonly #options: BootedKernelsOptions;
	readonly #ready = new Set<string>();
	readonly #failed = new Map<string, {readonly error: unknown; notRun: number; isTold: boolean}>();
	/** The number of cells that are running, by kernel. */
	readonly #running = new Map<string, number>();

	constructor(options: BootedKernelsOptions) {
		this.#options = options;
	}

	get isOneMissing(): boolean {
		return this.#failed.size > 0;
	}

	/** The number of cells that do not run because their kernel failed. */
	get notRun(): number {
		return [...this.#failed.values()].reduce((sum, {notRun}) => sum + notRun, 0);
	}

	hasFailed(kernel: string): boolean {
		return this.#failed.has(kernel);
	}

	async boot(kernel: string): Promise<Guest> {
		if (this.#failed.has(kernel)) throw this.#failed.get(kernel)!.error;
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
			if (!this.#failed.has(kernel)) this.#failed.set(kernel, {error, notRun: 0, isTold: false});
			throw error;
		}
	}

	begin(kernel: string): void {
		this.#running.set(kernel, (this.#running.get(kernel) ?? 0) + 1);
	}

	giveUp(kernel: string, cells: number): void {
		this.#failed.get(kernel)!.notRun += cells;
	}

	/** Reports a failed kernel after its last running cell: only then is the number of cells that did not run known. */
	end(kernel: string): void {
		const running = this.#running.get(kernel)! - 1;
		this.#running.set(kernel, running);
		const failed = this.#failed.get(kernel);
		if (!failed || failed.isTold || running > 0) return;
		failed.isTold = true;
		this.#options.emit(failureOf(kernel, failed));
	}
}

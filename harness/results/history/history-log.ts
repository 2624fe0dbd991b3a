// SPDX-License-Identifier: GPL-2.0
import {closeSync, openSync, writeSync} from 'node:fs';
import path from 'node:path';
import {makeDirectories} from '../../host/cache-root.js';
import {messageOf, UsageError} from '../../host/errors.ts';
import type {Event} from '../run/events.ts';
import {RunLock} from './run-lock.ts';

export type HistoryLogOptions = {
	/** Called once, when the first event cannot be written. */
	readonly onTrouble: (sentence: string) => void;
	/** Replaces `fs.writeSync` in tests. */
	readonly write?: (descriptor: number, bytes: Buffer) => number;
};

/** Path of a run's events in a history. */
export function runFile(directory: string, id: string): string {
	return path.join(directory, 'runs', `${id}.jsonl`);
}

/**
 * Writes the events of one run into a history, each as it happens. A full disk does not end the run: events that could
 * not be written are kept and written with later ones. Throws UsageError when the history cannot be written at all.
 */
export class HistoryLog implements Disposable {
	readonly #directory: string;
	readonly #options: HistoryLogOptions;
	#descriptor: number | undefined;
	#mark: RunLock | undefined;
	#file = '';
	#waiting: Buffer[] = [];
	#trouble: unknown;

	constructor(directory: string, options: HistoryLogOptions) {
		this.#directory = directory;
		this.#options = options;
		try {
			makeDirectories(path.resolve(directory, 'runs'));
		} catch (error) {
			throw new UsageError(`The history cannot be written: ${messageOf(error)}`, {cause: error});
		}
	}

	write(event: Event): void {
		if (event.type === 'run') this.#open(event.id);
		this.#waiting.push(Buffer.from(`${JSON.stringify(event)}\n`));
		this.#flush();
	}

	/** Ends the log. Throws UsageError if some events could not be written to the end. */
	close(): void {
		if (this.#descriptor === undefined) return;
		this.#flush();
		this[Symbol.dispose]();
		if (this.#waiting.length > 0)
			throw new UsageError(
				`The history lacks the end of this run, which counts as interrupted: ${this.#file} cannot be written (${messageOf(this.#trouble)}). --json writes events elsewhere.`,
				{cause: this.#trouble},
			);
	}

	/** Closes the log of a run that ends early: it is no longer in progress. */
	[Symbol.dispose](): void {
		if (this.#descriptor === undefined) return;
		closeSync(this.#descriptor);
		this.#descriptor = undefined;
		this.#mark?.[Symbol.dispose]();
	}

	#open(id: string): void {
		this.#file = runFile(this.#directory, id);
		const mark = new RunLock(this.#file);
		try {
			this.#descriptor = openSync(this.#file, 'wx');
			this.#mark = mark;
		} catch (error) {
			mark[Symbol.dispose]();
			throw new UsageError(`The history cannot be written: ${messageOf(error)}`, {cause: error});
		}
	}

	#flush(): void {
		const {write = writeSync, onTrouble} = this.#options;
		try {
			for (let [next] = this.#waiting; next; [next] = this.#waiting) {
				const written = write(this.#descriptor!, next);
				// A disk that fills up may take only the first part of a line.
				if (written < next.length) this.#waiting[0] = next.subarray(written);
				else this.#waiting.shift();
			}
		} catch (error) {
			if (this.#trouble === undefined)
				onTrouble(`${this.#file} cannot be written (${messageOf(error)}); the run continues and retries.`);
			this.#trouble = error;
		}
	}
}

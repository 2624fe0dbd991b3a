import {closeSync, openSync, writeSync} from 'node:fs';
import path from 'node:path';
import {makeDirectories} from '../../host/cache-root.js';
import {messageOf, UsageError} from '../../host/errors.ts';
import type {Event} from '../run/events.ts';
import {RunLock} from './run-lock.ts';

export type HistoryLogOptions = {
	/** Told once, at the first event that could not be written. */
	readonly onTrouble: (sentence: string) => void;
	/** `fs.writeSync`, for tests. */
	readonly write?: (descriptor: number, bytes: Buffer) => number;
};

/** Where the events of a run lie in a history. */
export function runFile(directory: string, id: string): string {
	return path.join(directory, 'runs', `${id}.jsonl`);
}

/**
 * Writes the events of one run into a history, each the moment it happens. A disk that is full does not end the run: what
 * could not be written is kept and tried again with each event. Throws UsageError where there can be no history.
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

	/** Throws UsageError if something could not be written to the last. */
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

	/** For a run that ends before its end: it goes on no longer. */
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
				// A disk that fills up may take the first part of a line.
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

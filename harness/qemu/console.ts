// SPDX-License-Identifier: GPL-2.0
import {type FSWatcher, watch} from 'node:fs';
import {type FileHandle, open} from 'node:fs/promises';
import {abortable} from '../host/abort.ts';

/** How much of the console's end is kept in memory. */
const keptChars = 1 << 20;
/** Longer lines are passed on in pieces. */
const maxLineChars = 1 << 16;

/**
 * Follows the file that QEMU writes the guest's console to. QEMU writes to a file, because a guest blocks when nothing
 * reads its console.
 */
export class Console implements AsyncDisposable {
	readonly path: string;
	readonly #file: FileHandle;
	readonly #watcher: FSWatcher;
	readonly #listeners = new Set<(line: string) => void>();
	#text = '';
	#partial = '';
	#dropped = 0;
	#consumed = 0;
	#reading: Promise<void> | undefined;
	#again = false;

	static async open(path: string): Promise<Console> {
		return new Console(path, await open(path, 'a+', 0o600));
	}

	private constructor(path: string, file: FileHandle) {
		this.path = path;
		this.#file = file;
		this.#watcher = watch(path, () => void this.refresh());
		this.#watcher.on('error', () => {
			// The file was removed with its directory; there is nothing more to follow.
		});
	}

	/** The end of the console, without carriage returns. Call `refresh` first to include the latest output. */
	get text(): string {
		return this.#text;
	}

	/** Total length so far: a position for `from`. */
	get end(): number {
		return this.#dropped + this.#text.length;
	}

	/** Output since `end` had this value, or its end if it is too long to be kept. */
	from(position: number): string {
		const missing = this.#dropped - position;
		if (missing <= 0) return this.#text.slice(-missing);
		return `[${missing} characters are in ${this.path} only]\n${this.#text}`;
	}

	/** Calls `listener` for each complete line from now on. */
	onLine(listener: (line: string) => void): Disposable {
		this.#listeners.add(listener);
		return {[Symbol.dispose]: () => this.#listeners.delete(listener)};
	}

	/** Resolves with the first line, past or future, that matches. */
	async waitForLine(pattern: RegExp, {signal}: {signal?: AbortSignal} = {}): Promise<string> {
		const {promise, resolve} = Promise.withResolvers<string>();
		const check = (line: string) => {
			if (pattern.test(line)) resolve(line);
		};
		using _ = this.onLine(check);
		for (const line of this.#text.split('\n').slice(0, -1)) check(line);
		// Awaited here: otherwise the listener is gone before the line comes.
		return await abortable(
			this.refresh().then(() => promise),
			signal,
		);
	}

	/** Reads what has been written since the last time. */
	async refresh(): Promise<void> {
		if (this.#reading) {
			this.#again = true;
			return this.#reading;
		}
		this.#reading = this.#read();
		try {
			await this.#reading;
		} finally {
			this.#reading = undefined;
		}
	}

	async [Symbol.asyncDispose](): Promise<void> {
		this.#watcher.close();
		await this.refresh().catch(() => {});
		this.#listeners.clear();
		await this.#file.close().catch(() => {});
	}

	async #read(): Promise<void> {
		const buffer = Buffer.allocUnsafe(64 * 1024);
		for (;;) {
			this.#again = false;
			const {bytesRead} = await this.#file.read(buffer, 0, buffer.length, this.#consumed);
			if (bytesRead === 0 && !this.#again) return;
			this.#consumed += bytesRead;
			this.#append(buffer.toString('latin1', 0, bytesRead).replaceAll('\r', ''));
		}
	}

	#append(text: string): void {
		this.#text += text;
		// Not for each piece, because cutting copies the text.
		if (this.#text.length > 2 * keptChars) {
			const excess = this.#text.length - keptChars;
			this.#text = this.#text.slice(excess);
			this.#dropped += excess;
		}
		const lines = (this.#partial + text).split('\n');
		this.#partial = lines.pop()!;
		if (this.#partial.length > maxLineChars) {
			lines.push(this.#partial);
			this.#partial = '';
		}
		for (const line of lines) for (const listener of this.#listeners) listener(line);
	}
}

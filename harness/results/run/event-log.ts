// SPDX-License-Identifier: GPL-2.0
import {closeSync, openSync, writeSync} from 'node:fs';
import {messageOf, UsageError} from '../../host/errors.ts';
import type {Event} from './events.ts';

/**
 * Writes events as JSON lines, each in one write as it happens, so that a killed run loses nothing. `-` is standard
 * output. Throws UsageError when the file cannot be written.
 */
export class EventLog implements Disposable {
	readonly #descriptor: number;
	readonly #path: string;

	constructor(path: string) {
		this.#path = path;
		try {
			this.#descriptor = path === '-' ? 1 : openSync(path, 'w');
		} catch (error) {
			throw new UsageError(`The events cannot be written: ${messageOf(error)}`, {cause: error});
		}
	}

	write(event: Event): void {
		const line = Buffer.from(`${JSON.stringify(event)}\n`);
		try {
			for (let written = 0; written < line.length; ) written += writeSync(this.#descriptor, line, written);
		} catch (error) {
			throw new UsageError(`The events cannot be written to ${this.#path}: ${messageOf(error)}`, {cause: error});
		}
	}

	[Symbol.dispose](): void {
		if (this.#descriptor !== 1) closeSync(this.#descriptor);
	}
}

// SPDX-License-Identifier: GPL-2.0
import {randomBytes} from 'node:crypto';
import type {Readable, Writable} from 'node:stream';
import {LinkLostError, messageOf} from '../host/errors.ts';
import {type RunKeys, toDropbear} from '../link/keys.ts';

/**
 * Gives a guest an identity of its own, although it began with the same memory as others. Process 1
 * (guest/init/identity.c) asks for it, gets random numbers, the time and keys, and confirms them.
 */
export class IdentityPort {
	readonly #output: Writable;
	readonly #lines: AsyncIterator<string>;

	constructor(port: Readable & Writable) {
		this.#output = port;
		this.#lines = linesOf(port);
		port.on('error', () => {
			// The end of the stream ends any pending request.
		});
	}

	/** Resolves when the guest asks. A restored one has asked already and waits for the answer. */
	async asked(): Promise<void> {
		await this.#expect('who');
	}

	/** Sends an identity. Resolves when the guest has taken it. */
	async tell(keys: RunKeys): Promise<void> {
		this.#output.write(
			[
				`seed ${randomBytes(64).toString('hex')}`,
				`time ${BigInt(Date.now()) * 1_000_000n}`,
				`host-key ${toDropbear(keys.host).toString('hex')}`,
				`authorized-key ${keys.client.public} probe-matrix`,
				'end\n',
			].join('\n'),
		);
		await this.#expect('ready');
	}

	/** Makes the guest end all SSH sessions and drop its identity. Resolves when it asks again. */
	async forget(): Promise<void> {
		this.#output.write('forget\n');
		await this.#expect('who');
	}

	async #expect(word: string): Promise<void> {
		const {value, done} = await this.#lines.next().catch((error: unknown) => {
			throw new LinkLostError(`The guest exited before it sent ${word}: ${messageOf(error)}.`, {cause: error});
		});
		if (done) throw new LinkLostError(`The guest exited before it sent ${word}.`);
		if (value !== word) throw new LinkLostError(`The guest sent ${JSON.stringify(value.slice(0, 200))}, not ${word}.`);
	}
}

async function* linesOf(input: Readable): AsyncGenerator<string> {
	let rest = '';
	for await (const chunk of input) {
		const lines = (rest + String(chunk)).split('\n');
		rest = lines.pop() ?? '';
		yield* lines;
	}
}

import {randomBytes} from 'node:crypto';
import type {Readable, Writable} from 'node:stream';
import {LinkLostError, messageOf} from '../host/errors.ts';
import {type RunKeys, toDropbear} from '../link/keys.ts';

/**
 * Makes a guest another one than every guest that began with the same memory: process 1 (guest/init/identity.c) asks who
 * it is, is told random numbers, the time and its keys, and says when it has taken them.
 */
export class IdentityPort {
	readonly #output: Writable;
	readonly #lines: AsyncIterator<string>;

	constructor(port: Readable & Writable) {
		this.#output = port;
		this.#lines = linesOf(port);
		port.on('error', () => {
			// Whoever waits for a line is told by the end of the stream.
		});
	}

	/** Resolves when the guest asks: a restored one has asked already, and waits for the answer. */
	async asked(): Promise<void> {
		await this.#expect('who');
	}

	/** Resolves when the guest is who it shall be. */
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

	/** Resolves when the guest, which has been told, has ended all SSH sessions and asks again. */
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

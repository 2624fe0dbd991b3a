// SPDX-License-Identifier: GPL-2.0
import net from 'node:net';
import {onAbort} from '../host/abort.ts';
import {GuestError, LinkLostError} from '../host/errors.ts';

/** An address in the guest. */
export type Address = `0x${string}`;

/** A short connection to QEMU's gdb stub. The guest is stopped while it is connected. */
class GdbStub implements Disposable {
	readonly #socket: net.Socket;
	readonly #replies: AsyncIterator<Buffer>;
	#rest = '';

	static async visit(socketPath: string, {signal}: {signal: AbortSignal}): Promise<GdbStub> {
		const socket = net.connect(socketPath);
		socket.on('error', () => {
			// The end of the stream ends any pending request.
		});
		onAbort(signal, () => socket.destroy());
		const {promise, resolve, reject} = Promise.withResolvers<void>();
		socket.once('connect', resolve);
		socket.once('close', () => reject(new LinkLostError('QEMU closed its gdb stub.')));
		await promise;
		return new GdbStub(socket);
	}

	private constructor(socket: net.Socket) {
		this.#socket = socket;
		this.#replies = socket[Symbol.asyncIterator]() as AsyncIterator<Buffer>;
	}

	/** Sends a packet of gdb's remote serial protocol and returns the reply. */
	async ask(command: string): Promise<string> {
		this.#send(command);
		for (;;) {
			const packet = await this.#receive();
			// Stop replies that QEMU sends by itself do not answer the request.
			if (!isStop(packet)) return packet;
		}
	}

	/** Lets the guest run as `command` says, and waits until it has stopped. */
	async run(command: 'c' | 's'): Promise<void> {
		this.#send(command);
		while (!isStop(await this.#receive()));
	}

	#send(command: string): void {
		const sum = Buffer.from(command).reduce((total, byte) => (total + byte) & 0xff, 0);
		this.#socket.write(`$${command}#${sum.toString(16).padStart(2, '0')}`);
	}

	async #receive(): Promise<string> {
		for (;;) {
			const packet = /\$([^#]*)#[0-9a-f]{2}/.exec(this.#rest);
			if (packet) {
				this.#rest = this.#rest.slice(packet.index + packet[0].length);
				this.#socket.write('+');
				return packet[1]!;
			}
			const {value, done} = await this.#replies.next();
			if (done) throw new LinkLostError('QEMU closed its gdb stub.');
			this.#rest += value.toString('latin1');
		}
	}

	[Symbol.dispose](): void {
		this.#socket.destroy();
	}
}

function isStop(packet: string): boolean {
	return /^[TS][0-9a-f]{2}/.test(packet);
}

/**
 * Writes the bytes at these addresses back unchanged, so that QEMU discards its translations of them.
 *
 * Under multi-threaded TCG, a vCPU can translate an instruction while another vCPU is overwriting it: QEMU discards old
 * translations before a store, not together with it. A vCPU that caught an int3 this way executes it forever after the
 * kernel has removed it, in a loop between the instruction and a handler that finds no breakpoint.
 */
export async function retranslate(
	socketPath: string,
	addresses: readonly Address[],
	{signal}: {signal: AbortSignal},
): Promise<void> {
	using stub = await GdbStub.visit(socketPath, {signal});
	try {
		for (const address of addresses) {
			const at = BigInt(address).toString(16);
			const bytes = await stub.ask(`m${at},10`);
			if (!/^[0-9a-f]{32}$/.test(bytes)) continue;
			const written = await stub.ask(`M${at},10:${bytes}`);
			if (written !== 'OK') throw new GuestError(`QEMU's gdb stub refused to write at ${address}: ${written}`);
		}
	} finally {
		await stub.ask('D');
	}
}

/** Numbers of registers in gdb's protocol. */
const sp = 7;
const ip = 16;

/**
 * The addresses of all instructions of the next call of the function at `address`, from its first one until it has
 * returned. QEMU delivers no interrupt to a guest that it single-steps, so nothing else is among them.
 */
export async function traceCall(
	socketPath: string,
	address: Address,
	{signal}: {signal: AbortSignal},
): Promise<readonly bigint[]> {
	using stub = await GdbStub.visit(socketPath, {signal});
	const breakpoint = `1,${BigInt(address).toString(16)},1`;
	const register = async (number: number) => littleEndian(await stub.ask(`p${number.toString(16)}`));
	try {
		await stub.ask(`Z${breakpoint}`);
		await stub.run('c');
		await stub.ask(`z${breakpoint}`);
		const slot = await register(sp);
		const caller = littleEndian(await stub.ask(`m${slot.toString(16)},8`));
		const passed: bigint[] = [];
		for (let at = await register(ip); at !== caller || (await register(sp)) <= slot; at = await register(ip)) {
			passed.push(at);
			await stub.run('s');
		}
		return passed;
	} finally {
		await stub.ask('D');
	}
}

function littleEndian(hex: string): bigint {
	return BigInt(`0x${Buffer.from(hex, 'hex').reverse().toString('hex')}`);
}

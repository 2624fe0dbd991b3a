// SPDX-License-Identifier: GPL-2.0
import net from 'node:net';
import {onAbort} from '../host/abort.ts';
import {GuestError, LinkLostError} from '../host/errors.ts';

/** An address in the guest, `0x…`. */
type Address = string;

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
		const sum = Buffer.from(command).reduce((total, byte) => (total + byte) & 0xff, 0);
		this.#socket.write(`$${command}#${sum.toString(16).padStart(2, '0')}`);
		for (;;) {
			const packet = /\$([^#]*)#[0-9a-f]{2}/.exec(this.#rest);
			if (packet) {
				this.#rest = this.#rest.slice(packet.index + packet[0].length);
				this.#socket.write('+');
				// Stop replies that QEMU sends by itself do not answer the request.
				if (/^[TS][0-9a-f]{2}/.test(packet[1]!)) continue;
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

// SPDX-License-Identifier: GPL-2.0
import type net from 'node:net';
import {onAbort} from '../host/abort.ts';
import {GuestError, LinkLostError} from '../host/errors.ts';

export type QmpEvent = {readonly event: string; readonly data?: Readonly<Record<string, unknown>>};

type Waiter = {resolve: (value: unknown) => void; reject: (error: Error) => void; readonly command: string};

/**
 * QEMU's monitor over a UNIX socket. Each command ends: answered, refused (GuestError) or lost with QEMU
 * (LinkLostError).
 */
export class Qmp implements AsyncDisposable {
	readonly #socket: net.Socket;
	readonly #waiters = new Map<number, Waiter>();
	readonly #listeners = new Set<(event: QmpEvent) => void>();
	#nextId = 1;
	#rest = '';
	#lost: Error | undefined;

	/** Takes over a connected socket and negotiates capabilities. */
	static async open(socket: net.Socket, {signal}: {signal?: AbortSignal} = {}): Promise<Qmp> {
		const qmp = new Qmp(socket);
		using _ = onAbort(signal, () => socket.destroy());
		try {
			await qmp.execute('qmp_capabilities');
			return qmp;
		} catch (error) {
			socket.destroy();
			signal?.throwIfAborted();
			throw error;
		}
	}

	private constructor(socket: net.Socket) {
		this.#socket = socket;
		socket.setEncoding('utf8');
		socket.on('data', (chunk: string) => this.#receive(chunk));
		socket.on('error', error => this.#lose(new LinkLostError(`The connection to QEMU failed: ${error.message}.`)));
		socket.on('close', () => this.#lose(new LinkLostError('QEMU closed its monitor.')));
	}

	/** The `return` value of a command. The caller knows its type from QEMU's schema; it is not checked. */
	async execute<T = unknown>(command: string, commandArguments?: Readonly<Record<string, unknown>>): Promise<T> {
		if (this.#lost) throw this.#lost;
		const id = this.#nextId++;
		const {promise, resolve, reject} = Promise.withResolvers<unknown>();
		this.#waiters.set(id, {resolve, reject, command});
		this.#socket.write(`${JSON.stringify({execute: command, arguments: commandArguments, id})}\n`);
		// Not checked: QEMU's schema defines it.
		return (await promise) as T;
	}

	/** Runs a command of the human monitor and returns its text. */
	async human(line: string): Promise<string> {
		return this.execute<string>('human-monitor-command', {'command-line': line});
	}

	onEvent(listener: (event: QmpEvent) => void): Disposable {
		this.#listeners.add(listener);
		return {[Symbol.dispose]: () => this.#listeners.delete(listener)};
	}

	async [Symbol.asyncDispose](): Promise<void> {
		this.#socket.destroy();
	}

	#receive(chunk: string): void {
		const lines = (this.#rest + chunk).split('\n');
		this.#rest = lines.pop() ?? '';
		for (const line of lines) if (line.trim()) this.#receiveLine(line);
	}

	#receiveLine(line: string): void {
		let message: {id?: number; return?: unknown; error?: {class: string; desc: string}; event?: string};
		try {
			message = JSON.parse(line);
		} catch {
			this.#lose(new LinkLostError(`QEMU's monitor sent invalid JSON: ${line.slice(0, 200)}`));
			this.#socket.destroy();
			return;
		}
		if (message.event !== undefined) {
			for (const listener of this.#listeners) listener(message as QmpEvent);
			return;
		}
		const waiter = message.id === undefined ? undefined : this.#waiters.get(message.id);
		if (!waiter) return;
		this.#waiters.delete(message.id!);
		if (message.error) waiter.reject(new GuestError(`QEMU refused ${waiter.command}: ${message.error.desc}`));
		else waiter.resolve(message.return);
	}

	#lose(error: Error): void {
		this.#lost ??= error;
		for (const {reject} of this.#waiters.values()) reject(this.#lost);
		this.#waiters.clear();
	}
}

// SPDX-License-Identifier: GPL-2.0
import type {Readable, Writable} from 'node:stream';
import {StringDecoder} from 'node:string_decoder';
import {abortable} from '../host/abort.ts';
import {AgentError, LinkLostError} from '../host/errors.ts';
import type {AgentOps} from './agent-protocol.ts';

type Op = keyof AgentOps;
type In<O extends Op> = AgentOps[O]['in'];
type Out<O extends Op> = AgentOps[O]['out'];

export type CallOptions = {readonly signal?: AbortSignal; readonly deadlineMs?: number};

type Waiter = {
	readonly op: string;
	readonly resolve: (value: unknown) => void;
	readonly reject: (error: Error) => void;
};

/** A longer line means that the agent is broken. */
const maxLineBytes = 16 << 20;

/** Client of the agent in the guest. Requests may overlap; each of them ends. */
export class Agent implements AsyncDisposable {
	/** Resolves, with the reason, when no further call can succeed. */
	readonly gone: Promise<LinkLostError>;
	readonly #output: Writable;
	readonly #waiters = new Map<number, Waiter>();
	readonly #markGone: (error: LinkLostError) => void;
	#nextId = 1;
	#goneBecause: LinkLostError | undefined;

	/** Takes both directions of the connection. Process 1 of the guest starts the agent (guest/init/agent.c). */
	constructor(input: Readable, output: Writable) {
		this.#output = output;
		const {promise, resolve} = Promise.withResolvers<LinkLostError>();
		this.gone = promise;
		this.#markGone = resolve;
		output.on('error', error => this.#end(error.message));
		void this.#read(input);
	}

	/**
	 * Runs an operation. Throws AgentError when it failed (with `errno`), LinkLostError when its outcome is unknown, or
	 * the signal's reason; the agent then continues, and its answer is dropped.
	 */
	async call<O extends Op>(op: O, request: In<O>, {signal, deadlineMs}: CallOptions = {}): Promise<Out<O>> {
		const ends = [signal, deadlineMs === undefined ? undefined : AbortSignal.timeout(deadlineMs)].filter(
			end => end !== undefined,
		);
		const until = ends.length > 0 ? AbortSignal.any(ends) : undefined;
		until?.throwIfAborted();
		if (this.#goneBecause) throw this.#goneBecause;
		const id = this.#nextId++;
		const {promise, resolve, reject} = Promise.withResolvers<unknown>();
		this.#waiters.set(id, {op, resolve, reject});
		try {
			this.#output.write(`${JSON.stringify({...request, id, op})}\n`);
			// The protocol types are trusted: both sides are released together.
			return (await abortable(promise, until)) as Out<O>;
		} finally {
			this.#waiters.delete(id);
		}
	}

	/** Ends the connection; pending calls get LinkLostError. */
	async [Symbol.asyncDispose](): Promise<void> {
		this.#end('we closed it');
		this.#output.end();
	}

	async #read(input: Readable): Promise<void> {
		const decoder = new StringDecoder('utf8');
		let parts: string[] = [];
		let size = 0;
		try {
			for await (const chunk of input) {
				const lines = decoder.write(chunk as Buffer).split('\n');
				for (const [index, piece] of lines.entries()) {
					parts.push(piece);
					size += piece.length;
					if (size > maxLineBytes) this.#end(`it sent a line longer than ${maxLineBytes >> 20} MiB`);
					if (index === lines.length - 1) break;
					const line = parts.join('');
					parts = [];
					size = 0;
					this.#receive(line);
				}
				// Read and drop the rest, because an unread channel never closes.
				if (this.#goneBecause) parts = [];
			}
			// Wait for a moment: the agent's exit status explains more than the end of its output.
			setTimeout(() => this.#end('its output ended'), 200);
		} catch (error) {
			this.#end(error instanceof Error ? error.message : String(error));
		}
	}

	#receive(line: string): void {
		if (this.#goneBecause || line.trim() === '') return;
		// Process 1 reports the end of the agent on the same channel.
		if (line.startsWith('the agent ended ')) {
			this.#end(`it ${line.slice('the agent '.length).trim()}`);
			return;
		}
		const answer = parseAnswer(line);
		if (!answer) {
			this.#end(`its answer is not valid: ${JSON.stringify(line.slice(0, 200))}`);
			return;
		}
		const waiter = this.#waiters.get(answer.id);
		// No pending call: the answer to one that was aborted.
		if (!waiter) return;
		if ('error' in answer) waiter.reject(new AgentError(waiter.op, answer.error));
		else waiter.resolve(answer.ok);
	}

	#end(why: string): void {
		if (this.#goneBecause) return;
		this.#goneBecause = new LinkLostError(`The agent in the guest is gone: ${why.replace(/\.$/, '')}.`);
		for (const {reject} of this.#waiters.values()) reject(this.#goneBecause);
		this.#waiters.clear();
		this.#markGone(this.#goneBecause);
	}
}

type Answer = {id: number; ok: unknown} | {id: number; error: {errno: string; message: string}};

function parseAnswer(line: string): Answer | undefined {
	let value: unknown;
	try {
		value = JSON.parse(line);
	} catch {
		return undefined;
	}
	if (typeof value !== 'object' || value === null || !('id' in value) || typeof value.id !== 'number') return undefined;
	if ('ok' in value) return {id: value.id, ok: value.ok};
	if (!('error' in value) || typeof value.error !== 'object' || value.error === null) return undefined;
	const {errno, message} = value.error as {errno?: unknown; message?: unknown};
	return {id: value.id, error: {errno: String(errno), message: String(message)}};
}

// SPDX-License-Identifier: GPL-2.0
import net from 'node:net';
import type {Client, ClientChannel, ParsedKey} from 'ssh2';
import {abortable, onAbort} from '../host/abort.ts';
import {CommandFailedError, LinkLostError, messageOf} from '../host/errors.ts';
import type {RunKeys} from './keys.ts';
import {type CommandChannel, type CommandEnd, type RunningCommand, withoutInput} from './running-command.ts';

export type LinkOptions = {
	readonly port: number;
	readonly keys: RunKeys;
	readonly signal?: AbortSignal;
	readonly readyMs?: number;
	/** Off while the guest is stopped on purpose, for example by gdb. */
	readonly keepalive?: boolean;
};

export type CommandOutput = {readonly stdout: string; readonly stderr: string};

export type ExecOptions = {readonly signal?: AbortSignal; readonly input?: string | Buffer};

/** An SSH connection to a guest with a known host key. */
export class GuestLink implements AsyncDisposable {
	readonly #client: Client;
	/** Aborts with the LinkLostError when the connection ends. */
	readonly #lost = new AbortController();
	#turn: Promise<unknown> = Promise.resolve();

	static async open({port, keys, signal, readyMs = 30_000, keepalive = true}: LinkOptions): Promise<GuestLink> {
		// Most guests need no connection, and loading ssh2 takes longer than restoring a guest.
		const {default: ssh2} = await import('ssh2');
		signal?.throwIfAborted();
		// The socket that ssh2 makes uses Nagle's algorithm, which makes uploads fifty times slower.
		const sock = net.connect({host: '127.0.0.1', port, noDelay: true});
		const client = new ssh2.Client();
		const link = new GuestLink(client);
		// parseKey cannot fail here: the key is ours.
		const hostKey = (ssh2.utils.parseKey(keys.host.public) as ParsedKey).getPublicSSH();
		const {promise, resolve} = Promise.withResolvers<void>();
		client.once('ready', resolve);
		using _ = onAbort(signal, () => client.destroy());
		try {
			client.connect({
				sock,
				username: 'root',
				privateKey: keys.client.private,
				hostVerifier: (key: Buffer) => key.equals(hostKey),
				readyTimeout: readyMs,
				// On a busy host a guest may be silent for ten seconds; the exit of QEMU is noticed at once anyway.
				...(keepalive && {keepaliveInterval: 5000, keepaliveCountMax: 6}),
			});
			await abortable(promise, link.#lost.signal);
			return link;
		} catch (error) {
			client.destroy();
			signal?.throwIfAborted();
			throw error;
		}
	}

	private constructor(client: Client) {
		this.#client = client;
		// Never removed: ssh2 may emit a second error while closing, and an unhandled one would end the process.
		client.on('error', error => this.#lose(messageOf(error)));
		client.on('close', () => this.#lose('it was closed'));
		onAbort(this.#lost.signal, () => client.destroy());
	}

	/** Aborted, with a LinkLostError as its reason, once the connection has ended. */
	get lost(): AbortSignal {
		return this.#lost.signal;
	}

	/** Runs a shell command. Throws CommandFailedError unless it exits with 0, LinkLostError if its end is unknown. */
	async exec(command: string, options: ExecOptions = {}): Promise<CommandOutput> {
		const {stdout, stderr} = await this.#run(command, options);
		return {stdout: stdout.toString(), stderr};
	}

	/** Like exec, for binary output. */
	async execBytes(command: string, options: ExecOptions = {}): Promise<Buffer> {
		return (await this.#run(command, options)).stdout;
	}

	/** Starts a command. The caller must read stdout and stderr to the end. */
	async start(
		command: string,
		{pty}: {pty?: {rows: number; cols: number; term: string}} = {},
	): Promise<RunningCommand> {
		if (this.#lost.signal.aborted) throw this.#lost.signal.reason;
		const {promise, resolve, reject} = Promise.withResolvers<RunningCommand>();
		try {
			this.#client.exec(command, pty ? {pty} : {}, (error, channel) => {
				if (error)
					reject(new LinkLostError(`The guest did not start \`${command}\`: ${error.message}.`, {cause: error}));
				// Attach listeners at once: a quick command's exit may be in the same packet.
				else resolve({channel, ended: this.#endOf(channel, command)});
			});
		} catch (error) {
			// ssh2 throws "Not connected" instead of calling back.
			reject(new LinkLostError(`The guest did not start \`${command}\`: ${messageOf(error)}.`, {cause: error}));
		}
		return abortable(promise, this.#lost.signal);
	}

	async [Symbol.asyncDispose](): Promise<void> {
		this.#lose('we closed it');
	}

	async #run(command: string, {signal, input}: ExecOptions): Promise<{stdout: Buffer; stderr: string}> {
		return this.#inTurn(async () => {
			signal?.throwIfAborted();
			const {channel, ended} = await this.start(input === undefined ? withoutInput(command) : command);
			using _ = this.#killOn(signal, channel);
			if (input !== undefined) channel.end(input);
			const [stdout, stderr, end] = await Promise.allSettled([bytesOf(channel), bytesOf(channel.stderr), ended]);
			signal?.throwIfAborted();
			if (end.status === 'rejected') throw end.reason;
			const result = {stdout: settled(stdout), stderr: settled(stderr).toString()};
			if (end.value.code !== 0) throw new CommandFailedError(command, {...end.value, stderr: result.stderr});
			return result;
		});
	}

	#endOf(channel: ClientChannel, command: string): Promise<CommandEnd> {
		const {promise, resolve, reject} = Promise.withResolvers<CommandEnd>();
		let exit: CommandEnd | undefined;
		channel.on('exit', (code: number | null, signal?: string) => {
			exit = {...(code !== null && {code}), ...(signal && {signal: signal.replace(/^SIG/, '')})};
		});
		channel.on('error', (error: Error) =>
			reject(new LinkLostError(`\`${command}\` lost its channel: ${error.message}.`)),
		);
		// When a guest dies, its channels close like after success, but without an exit status.
		channel.on('close', () => {
			if (exit) resolve(exit);
			else
				reject(
					this.#lost.signal.aborted
						? this.#lost.signal.reason
						: new LinkLostError(`\`${command}\` ended without a status: the guest is going down.`),
				);
		});
		const ended = abortable(promise, this.#lost.signal);
		// Callers that do not await it must not get an unhandled rejection.
		ended.catch(() => {});
		return ended;
	}

	/** One command at a time: dropbear before 2024.86 mixes up overlapping sessions (mkj/dropbear#321). */
	async #inTurn<T>(work: () => Promise<T>): Promise<T> {
		const result = this.#turn.then(work);
		this.#turn = result.catch(() => {});
		return result;
	}

	#killOn(signal: AbortSignal | undefined, channel: CommandChannel): Disposable {
		let timer: NodeJS.Timeout | undefined;
		const kill = () => {
			channel.signal('KILL');
			timer = setTimeout(() => this.#lose('a command did not end when told to'), 2000);
		};
		const killing = onAbort(signal, kill);
		return {
			[Symbol.dispose]: () => {
				killing[Symbol.dispose]();
				clearTimeout(timer);
			},
		};
	}

	#lose(why: string): void {
		if (!this.#lost.signal.aborted)
			this.#lost.abort(new LinkLostError(`The SSH connection to the guest ended: ${why}.`));
	}
}

async function bytesOf(stream: AsyncIterable<Buffer | string>): Promise<Buffer> {
	const chunks: Buffer[] = [];
	for await (const chunk of stream) chunks.push(Buffer.from(chunk));
	return Buffer.concat(chunks);
}

function settled(result: PromiseSettledResult<Buffer>): Buffer {
	return result.status === 'fulfilled' ? result.value : Buffer.alloc(0);
}

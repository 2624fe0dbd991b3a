// SPDX-License-Identifier: GPL-2.0
import {abortable} from '../host/abort.ts';
import {LinkLostError, UsageError} from '../host/errors.ts';
import {programs} from '../host/programs.ts';
import type {Qemu} from '../host/qemu.ts';
import type {Qmp} from './qmp.ts';

export type QemuEnd = {readonly code: number | undefined; readonly signal: string | undefined; readonly stderr: string};

/** A running QEMU that ends with the harness, whatever ends that. */
export class QemuProcess implements AsyncDisposable {
	readonly pid: number;
	readonly ended: Promise<QemuEnd>;
	readonly #kill: (signal: 'SIGTERM' | 'SIGKILL') => void;
	#quit: (() => Promise<unknown>) | undefined;
	#hasEnded = false;

	static start(qemu: Qemu, args: readonly string[]): QemuProcess {
		// Only pdeathsig ends QEMU when the harness is killed, also inside AVA's worker threads.
		const child = programs()('setpriv', ['--pdeathsig', 'KILL', ...qemu.command, ...args], {
			env: {...qemu.environment},
			stdin: 'ignore',
			stdout: 'ignore',
			reject: false,
			// In a process group of its own, it gets no Ctrl-C from the terminal; guests are ended in order.
			killDescendants: true,
			forceKillAfterDelay: 2000,
		});
		const ended = child.then(({exitCode, signal, stderr, shortMessage, failed}) => ({
			code: exitCode,
			signal,
			stderr: stderr || (failed && exitCode === undefined && !signal ? (shortMessage ?? '') : ''),
		}));
		const {pid} = child.nodeChildProcess;
		if (pid === undefined) throw new UsageError('setpriv could not be started; it comes with util-linux.');
		return new QemuProcess(pid, ended, signal => child.kill(signal));
	}

	private constructor(pid: number, ended: Promise<QemuEnd>, kill: (signal: 'SIGTERM' | 'SIGKILL') => void) {
		this.pid = pid;
		this.#kill = kill;
		this.ended = ended.then(end => {
			this.#hasEnded = true;
			return end;
		});
	}

	/** From now on, try QMP `quit` before signals. */
	quitBy(qmp: Qmp): void {
		this.#quit = () => qmp.execute('quit');
	}

	/** The result of `work`, unless QEMU ends or `signal` aborts first. Throws LinkLostError or the signal's reason. */
	async unlessItEnds<T>(work: Promise<T>, {signal}: {signal?: AbortSignal}): Promise<T> {
		const ended = this.ended.then((): never => {
			throw new LinkLostError('QEMU has ended.');
		});
		return abortable(Promise.race([work, ended]), signal);
	}

	async [Symbol.asyncDispose](): Promise<void> {
		if (this.#hasEnded) return;
		// If it is refused or the connection is lost, the signals below follow.
		this.#quit?.().catch(() => {});
		const timers = [
			setTimeout(() => this.#kill('SIGTERM'), this.#quit ? 500 : 0),
			setTimeout(() => this.#kill('SIGKILL'), 2000),
		];
		await this.ended;
		for (const timer of timers) clearTimeout(timer);
	}
}

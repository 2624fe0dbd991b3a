// SPDX-License-Identifier: GPL-2.0
import {mkdir, readFile} from 'node:fs/promises';
import type net from 'node:net';
import path from 'node:path';
import {setTimeout as sleep} from 'node:timers/promises';
import {findKernelReports} from '../crash/crash-detector.ts';
import {describeTripleFault, isTripleFault} from '../crash/triple-fault.ts';
import {BootError, GuestError, LoadError, messageOf, UsageError} from '../host/errors.ts';
import type {Qemu} from '../host/qemu.ts';
import type {Kernel} from '../kernels/kernel.ts';
import {Console} from './console.ts';
import {type Address, retranslate, traceCall} from './gdb-stub.ts';
import {endBehind, endOf, type VmEnd} from './guest-end.ts';
import {type Machine, qemuArguments, socketNames} from './qemu-arguments.ts';
import {type QemuEnd, QemuProcess} from './qemu-process.ts';
import {Qmp} from './qmp.ts';
import {RunDirectory} from './run-directory.ts';
import {Sockets} from './sockets.ts';

export type VmOptions = Partial<
	Pick<Machine, 'cpus' | 'accelerator' | 'commandLine' | 'memory' | 'isIncoming' | 'isHeldAtEnd'>
> & {
	readonly qemu: Qemu;
	readonly kernel: Kernel;
	readonly initramfs: string;
	readonly memoryMib: number;
	/** See qemu-arguments.ts. */
	readonly countsInstructions?: boolean | undefined;
	/** Path of a console log to keep; without it, the console is removed with the VM. */
	readonly consolePath?: string | undefined;
	/** Start stopped, for gdb to attach. */
	readonly gdb?: boolean;
	readonly signal?: AbortSignal | undefined;
};

/** A QEMU process and its guest. */
export class Vm implements AsyncDisposable {
	readonly sshPort: number;
	readonly qmp: Qmp;
	readonly console: Console;
	/** Connections to the guest's virtio ports. */
	readonly identity: net.Socket;
	readonly agent: net.Socket;
	/** Socket for gdb's `target remote`. */
	readonly gdbSocket: string;
	/** Runs under TCG, without KVM. */
	readonly isEmulated: boolean;
	/** Start of QEMU, as of performance.now(). */
	readonly startedAt: number;
	/** Resolves when QEMU has ended for whatever reason, or holds a guest at its end; never rejects. */
	readonly ended: Promise<VmEnd>;
	readonly #options: VmOptions;
	readonly #process: QemuProcess;
	readonly #resetLog: string;
	#holdsAtEnd = false;
	readonly #resources: AsyncDisposableStack;

	/** Starts QEMU and waits for its monitor; the guest may not have printed anything yet. Throws BootError. */
	static async start(options: VmOptions): Promise<Vm> {
		const {qemu, kernel, signal} = options;
		await using resources = new AsyncDisposableStack();
		const directory = resources.use(await RunDirectory.create());
		const consolePath = options.consolePath ?? directory.file('console');
		await mkdir(path.dirname(consolePath), {recursive: true});
		const console = resources.use(await Console.open(consolePath));
		const gdbSocket = directory.file('gdb');
		const resetLog = directory.file('resets');
		using sockets = await Sockets.listen(directory, socketNames);
		const startedAt = performance.now();
		const machine = machineOf(options, {consolePath, gdbSocket, resetLog, sockets: sockets.paths});
		const process = resources.use(QemuProcess.start(qemu, qemuArguments(qemu, kernel, machine)));
		try {
			const {connections} = sockets;
			const [socket, identity, agent] = await process.unlessItEnds(
				Promise.all([connections.qmp, connections.identity, connections.agent]),
				{signal},
			);
			for (const port of [identity, agent]) resources.defer(() => void port.destroy());
			const qmp = resources.use(await Qmp.open(socket, {signal}));
			process.quitBy(qmp);
			// Registered again, so that it is disposed before the monitor: without that, QEMU would have to be killed.
			resources.use(process);
			const sshPort = parseForwardedPort(await qmp.human('info usernet'));
			const parts = {sshPort, qmp, console, identity, agent, gdbSocket, resetLog, startedAt, options, process};
			const isEmulated = machine.accelerator === 'tcg';
			return new Vm({...parts, isEmulated}, resources.move());
		} catch (error) {
			signal?.throwIfAborted();
			throw await bootError(error, {
				options,
				console,
				resetLog,
				ended: endOf(process, {memory: options.memory, resetLog}),
			});
		}
	}

	private constructor(
		parts: Pick<Vm, 'sshPort' | 'qmp' | 'console' | 'identity' | 'agent' | 'gdbSocket' | 'isEmulated' | 'startedAt'> & {
			options: VmOptions;
			process: QemuProcess;
			resetLog: string;
		},
		resources: AsyncDisposableStack,
	) {
		this.sshPort = parts.sshPort;
		this.qmp = parts.qmp;
		this.console = parts.console;
		this.identity = parts.identity;
		this.agent = parts.agent;
		this.gdbSocket = parts.gdbSocket;
		this.#resetLog = parts.resetLog;
		this.isEmulated = parts.isEmulated;
		this.startedAt = parts.startedAt;
		this.#options = parts.options;
		this.#process = parts.process;
		this.#resources = resources;
		let shutdownReason: string | undefined;
		const {promise: held, resolve: hold} = Promise.withResolvers<QemuEnd>();
		this.qmp.onEvent(({event, data}) => {
			if (event !== 'SHUTDOWN') return;
			shutdownReason = String(data?.reason);
			if (this.#holdsAtEnd && data?.guest) hold({code: undefined, signal: undefined, stderr: ''});
		});
		const {resetLog, options} = parts;
		const ended = Promise.race([parts.process.ended, held]);
		this.ended = endOf({ended}, {resetLog, memory: options.memory, shutdownReason: () => shutdownReason});
	}

	get pid(): number {
		return this.#process.pid;
	}

	/**
	 * The result of `work`, which waits for a guest that is coming up. Throws BootError, with the end of the console, when
	 * QEMU ends, `work` fails or the deadline passes; UsageError when a disk is full. A LoadError is passed on.
	 */
	async whileItComesUp<T>(
		work: Promise<T>,
		{signal, deadlineMs}: {signal?: AbortSignal | undefined; deadlineMs?: number | undefined},
	): Promise<T> {
		const late = deadlineMs === undefined ? undefined : AbortSignal.timeout(deadlineMs);
		const either = AbortSignal.any([signal, late].filter(each => each !== undefined));
		try {
			return await this.#process.unlessItEnds(work, {signal: either});
		} catch (error) {
			signal?.throwIfAborted();
			// The guest is fine; the module is not, or the host's disk is full.
			if (error instanceof LoadError || error instanceof UsageError) throw error;
			const parts = {options: this.#options, console: this.console, resetLog: this.#resetLog, ended: this.ended};
			throw await bootError(error, {...parts, ...(late?.aborted && {deadlineMs})});
		}
	}

	/** The result of `work` in a guest that is up. If the end of QEMU makes it fail, throws a GuestError that says how. */
	async whileItIsUp<T>(work: Promise<T>): Promise<T> {
		try {
			return await work;
		} catch (error) {
			const end = await endBehind(error, this.ended);
			throw end ? new GuestError(end.message, {cause: error}) : error;
		}
	}

	/** Makes QEMU stay, with the guest's memory, when the guest resets or powers off. `ended` resolves all the same. */
	async holdAtEnd(): Promise<void> {
		this.#holdsAtEnd = true;
		await this.qmp.execute('set-action', {shutdown: 'pause'});
	}

	/** The registers of every vCPU, as QEMU prints them. Also works for a hung guest. */
	async registers(): Promise<string> {
		return this.qmp.human('info registers -a');
	}

	/** See retranslate() in gdb-stub.ts. Harmless for a healthy guest, which is stopped for some milliseconds. */
	async retranslate(addresses: readonly Address[]): Promise<void> {
		await retranslate(this.gdbSocket, addresses, {signal: AbortSignal.timeout(2000)});
	}

	/** See traceCall() in gdb-stub.ts. Waits until something in the guest calls the function. */
	async traceCall(address: Address): Promise<readonly bigint[]> {
		return traceCall(this.gdbSocket, address, {signal: AbortSignal.timeout(30_000)});
	}

	/** Ends the guest and removes all its files, except a console that was requested by path. */
	async [Symbol.asyncDispose](): Promise<void> {
		await this.#resources.disposeAsync();
	}
}

/** Builds the machine's description from options and the paths of one run. */
export function machineOf(
	options: Omit<VmOptions, 'qemu'>,
	paths: Pick<Machine, 'consolePath' | 'gdbSocket' | 'resetLog' | 'sockets'>,
): Machine {
	const {memory, isIncoming, isHeldAtEnd} = options;
	return {
		memoryMib: options.memoryMib,
		cpus: options.cpus ?? 2,
		accelerator: options.accelerator ?? 'tcg',
		countsInstructions: options.countsInstructions ?? false,
		commandLine: options.commandLine ?? [],
		initrd: options.initramfs,
		isStopped: options.gdb ?? false,
		...(memory && {memory}),
		...(isIncoming && {isIncoming}),
		...(isHeldAtEnd && {isHeldAtEnd}),
		...paths,
	};
}

function parseForwardedPort(text: string): number {
	const match = /TCP\[HOST_FORWARD\]\s+\d+\s+127\.0\.0\.1\s+(\d+)/.exec(text);
	if (!match) throw new BootError(`QEMU does not forward the SSH port: ${text.trim()}`);
	return Number(match[1]);
}

/** Number of console lines in an error. */
const lastLines = 12;

async function bootError(
	error: unknown,
	{
		options,
		console,
		resetLog,
		ended,
		deadlineMs,
	}: {
		options: VmOptions;
		console: Console;
		resetLog: string;
		ended: Promise<VmEnd>;
		deadlineMs?: number | undefined;
	},
): Promise<Error> {
	const {kernel} = options;
	const end = await endBehind(error, ended);
	if (end?.isDiskFull) return new UsageError(end.message, {cause: error});
	await console.refresh().catch(() => {});
	const tail = console.text.trim().split('\n').slice(-lastLines).join('\n');
	// A kernel report or a triple fault explains more than the end of QEMU.
	const [report] = findKernelReports(console.text);
	const log = await readFile(resetLog, 'latin1').catch(() => '');
	const late = deadlineMs === undefined ? undefined : `was not ready within ${deadlineMs / 1000} s`;
	const seen = report?.title ?? (isTripleFault(log) ? await tripleFault(options) : undefined);
	const why = seen ? `did not boot: ${seen}` : (late ?? `did not boot: ${end?.message ?? messageOf(error)}`);
	const said = tail ? `The end of its console:\n${tail}` : 'Its console is empty.';
	return new BootError(`Linux ${kernel.release} (${kernel.id}) ${why}\n${said}`, {
		cause: error,
		reason: `Linux ${kernel.release} ${why}`,
		console: tail,
	});
}

/** Long enough for a kernel that dies before its first output. */
const faultMs = 5000;

/** Locates a triple fault, of which QEMU's log holds no address: runs a second guest that is held when it happens. */
async function tripleFault({signal, memory: _memory, ...options}: VmOptions): Promise<string> {
	const {kernel, isIncoming = false} = options;
	const ended = AbortSignal.any([AbortSignal.timeout(faultMs), ...(signal ? [signal] : [])]);
	const registers = async () => {
		if (isIncoming) return undefined;
		await using vm = await Vm.start({...options, consolePath: undefined, isHeldAtEnd: true, signal: ended});
		while ((await vm.qmp.execute<{status: string}>('query-status')).status !== 'shutdown')
			await sleep(20, undefined, {signal: ended});
		return await vm.registers();
	};
	// Failing to locate it must not hide the triple fault itself.
	return describeTripleFault(await registers().catch(() => undefined), kernel).catch(() => 'triple fault');
}

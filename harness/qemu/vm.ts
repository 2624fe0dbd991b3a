import {mkdir, readFile} from 'node:fs/promises';
import type net from 'node:net';
import path from 'node:path';
import {setTimeout as sleep} from 'node:timers/promises';
import {findKernelReports} from '../crash/crash-detector.ts';
import {describeTripleFault, isTripleFault} from '../crash/triple-fault.ts';
import {BootError, LoadError, messageOf} from '../host/errors.ts';
import type {Qemu} from '../host/qemu.ts';
import type {Kernel} from '../kernels/kernel.ts';
import {Console} from './console.ts';
import {retranslate} from './gdb-stub.ts';
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
	/** Where the console is kept; otherwise it goes with the VM. */
	readonly consolePath?: string | undefined;
	/** Start stopped, with a stub for gdb. */
	readonly gdb?: boolean;
	readonly signal?: AbortSignal | undefined;
};

/** One QEMU and the guest in it. */
export class Vm implements AsyncDisposable {
	readonly sshPort: number;
	readonly qmp: Qmp;
	readonly console: Console;
	/** What the guest's ports lead to. */
	readonly identity: net.Socket;
	readonly agent: net.Socket;
	/** For gdb: `target remote` it. */
	readonly gdbSocket: string;
	/** Without acceleration. */
	readonly isEmulated: boolean;
	/** When QEMU was started, as performance.now() tells it. */
	readonly startedAt: number;
	readonly #options: VmOptions;
	/** What QEMU says of resets, for as long as the VM is there. */
	readonly resetLog: string;
	readonly #process: QemuProcess;
	readonly #resources: AsyncDisposableStack;

	/** A QEMU that answers; its guest may not have said anything yet. */
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
			// Again, as what was opened last is closed first, and without its monitor it would have to be killed.
			resources.use(process);
			const sshPort = parseForwardedPort(await qmp.human('info usernet'));
			const parts = {sshPort, qmp, console, identity, agent, gdbSocket, resetLog, startedAt, options, process};
			const isEmulated = machine.accelerator === 'tcg';
			return new Vm({...parts, isEmulated}, resources.move());
		} catch (error) {
			signal?.throwIfAborted();
			throw await bootError(error, {options, console, resetLog});
		}
	}

	private constructor(
		parts: Pick<
			Vm,
			'sshPort' | 'qmp' | 'console' | 'identity' | 'agent' | 'gdbSocket' | 'resetLog' | 'isEmulated' | 'startedAt'
		> & {
			options: VmOptions;
			process: QemuProcess;
		},
		resources: AsyncDisposableStack,
	) {
		this.sshPort = parts.sshPort;
		this.qmp = parts.qmp;
		this.console = parts.console;
		this.identity = parts.identity;
		this.agent = parts.agent;
		this.gdbSocket = parts.gdbSocket;
		this.resetLog = parts.resetLog;
		this.isEmulated = parts.isEmulated;
		this.startedAt = parts.startedAt;
		this.#options = parts.options;
		this.#process = parts.process;
		this.#resources = resources;
	}

	get pid(): number {
		return this.#process.pid;
	}

	/** Resolves when QEMU has ended, however; never rejects. */
	get exited(): Promise<QemuEnd> {
		return this.#process.ended;
	}

	/**
	 * What `work` gives, which waits for a guest that comes up. Throws BootError, with the end of the console, when QEMU
	 * ends, `work` fails or the deadline passes; a LoadError stays what it is.
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
			// The guest is well, what it was given is not.
			if (error instanceof LoadError) throw error;
			const {console, resetLog} = this;
			throw await bootError(error, {options: this.#options, console, resetLog, ...(late?.aborted && {deadlineMs})});
		}
	}

	/** The registers of every vCPU, as QEMU prints them: works in a guest that hangs. */
	async registers(): Promise<string> {
		return this.qmp.human('info registers -a');
	}

	/** See retranslate() in gdb-stub.ts; harmless in a guest that is well, which stands still for some milliseconds. */
	async retranslate(addresses: readonly string[]): Promise<void> {
		await retranslate(this.gdbSocket, addresses, {signal: AbortSignal.timeout(2000)});
	}

	/** Ends the guest and removes all it had, except a console that was asked for by name. */
	async [Symbol.asyncDispose](): Promise<void> {
		await this.#resources.disposeAsync();
	}
}

/** What QEMU is told, with the paths of one run. */
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

/** Of the console, in an error. */
const lastLines = 12;

async function bootError(
	error: unknown,
	{
		options,
		console,
		resetLog,
		deadlineMs,
	}: {options: VmOptions; console: Console; resetLog: string; deadlineMs?: number | undefined},
): Promise<BootError> {
	const {kernel} = options;
	await console.refresh().catch(() => {});
	const tail = console.text.trim().split('\n').slice(-lastLines).join('\n');
	// That a guest is gone is no news where its kernel has said why, or QEMU has seen it.
	const [report] = findKernelReports(console.text);
	const log = await readFile(resetLog, 'latin1').catch(() => '');
	const late = deadlineMs === undefined ? undefined : `was not ready within ${deadlineMs / 1000} s`;
	const seen = report?.title ?? (isTripleFault(log) ? await tripleFault(options) : undefined);
	const why = seen ? `did not boot: ${seen}` : (late ?? `did not boot: ${messageOf(error)}`);
	const said = tail ? `The end of its console:\n${tail}` : 'Its console is empty.';
	return new BootError(`Linux ${kernel.release} (${kernel.id}) ${why}\n${said}`, {
		cause: error,
		reason: `Linux ${kernel.release} ${why}`,
		console: tail,
	});
}

/** Long enough for what dies early, which is what says nothing itself. */
const faultMs = 5000;

/** QEMU only says that there was one. Where, a second guest tells that does the same and is held then. */
async function tripleFault({signal, memory: _memory, ...options}: VmOptions): Promise<string> {
	const {kernel, isIncoming = false} = options;
	const ended = AbortSignal.any([AbortSignal.timeout(faultMs), ...(signal ? [signal] : [])]);
	const registers = async () => {
		if (isIncoming) return undefined;
		await using vm = await Vm.start({...options, consolePath: undefined, isHeldAtEnd: true, signal: ended});
		while ((await vm.qmp.execute<{status: string}>('query-status')).status !== 'shutdown')
			await sleep(20, undefined, {signal: ended});
		return vm.registers();
	};
	// What is known already must not be lost for the rest.
	return describeTripleFault(await registers().catch(() => undefined), kernel).catch(() => 'triple fault');
}

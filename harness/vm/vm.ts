import {appendFile, copyFile, mkdir} from 'node:fs/promises';
import net from 'node:net';
import path from 'node:path';
import {type CpioEntry, writeCpio} from '../build/cpio.ts';
import {BootError, messageOf} from '../host/errors.ts';
import type {Qemu} from '../host/qemu.ts';
import type {Kernel} from '../kernels/kernel.ts';
import {guestMemoryMib} from '../kernels/memory.ts';
import {Console} from './console.ts';
import {retranslate} from './gdb-stub.ts';
import {qemuArguments} from './qemu-arguments.ts';
import {type QemuEnd, QemuProcess} from './qemu-process.ts';
import {Qmp} from './qmp.ts';
import {RunDirectory} from './run-directory.ts';

export type VmOptions = {
	readonly qemu: Qemu;
	readonly kernel: Kernel;
	readonly initramfs: string;
	/** Files of this run only, such as keys; they come on top of the initramfs. */
	readonly overlay?: readonly CpioEntry[];
	readonly memoryMib?: number;
	readonly cpus?: number;
	readonly accelerator?: 'tcg' | 'kvm';
	/** See qemu-arguments.ts. */
	readonly countsInstructions?: boolean;
	readonly commandLine?: readonly string[];
	/** Where the console is kept; otherwise it goes with the VM. */
	readonly consolePath?: string;
	/** Start stopped, with a stub for gdb. */
	readonly gdb?: boolean;
	/** Called with a started VM whose guest has not said anything yet. */
	readonly onStarted?: (vm: Vm) => void;
	/** The guest must be ready by then. No deadline under gdb. */
	readonly deadlineMs?: number;
	readonly signal?: AbortSignal;
};

/** What pid 1 prints when the SSH server listens. */
const readyLine = /^probe-matrix: ready\s*$/;

/** One QEMU and the guest in it. */
export class Vm implements AsyncDisposable {
	readonly sshPort: number;
	readonly qmp: Qmp;
	readonly console: Console;
	/** Power on to the ready line. */
	readonly bootMs: number;
	/** For gdb: `target remote` it. */
	readonly gdbSocket: string;
	/** What QEMU says of resets, for as long as the VM is there. */
	readonly resetLog: string;
	readonly #process: QemuProcess;
	readonly #resources: AsyncDisposableStack;

	/** A guest that has said it is ready. Throws BootError, which says where the console is. */
	static async boot(options: VmOptions): Promise<Vm> {
		const {qemu, kernel, initramfs, overlay = [], gdb = false, deadlineMs = gdb ? undefined : 60_000} = options;
		const deadline = deadlineMs === undefined ? undefined : AbortSignal.timeout(deadlineMs);
		const signal = AbortSignal.any([options.signal, deadline].filter(each => each !== undefined));
		await using resources = new AsyncDisposableStack();
		const directory = resources.use(await RunDirectory.create());
		const consolePath = options.consolePath ?? directory.file('console');
		await mkdir(path.dirname(consolePath), {recursive: true});
		const console = resources.use(await Console.open(consolePath));
		const initrd = directory.file('initrd');
		await copyFile(initramfs, initrd);
		await appendFile(initrd, writeCpio(overlay));
		const gdbSocket = directory.file('gdb');
		const qmpSocket = directory.file('qmp');
		const resetLog = directory.file('resets');
		using server = await MonitorServer.listen(qmpSocket);
		const memoryMib = await guestMemoryMib(kernel);
		const startedAt = performance.now();
		const process = resources.use(
			QemuProcess.start(
				qemu,
				qemuArguments(qemu, kernel, {
					memoryMib: options.memoryMib ?? memoryMib,
					cpus: options.cpus ?? 2,
					accelerator: options.accelerator ?? 'tcg',
					countsInstructions: options.countsInstructions ?? false,
					commandLine: options.commandLine ?? [],
					consolePath,
					initrd,
					qmpSocket,
					resetLog,
					gdbSocket,
					isStopped: gdb,
				}),
			),
		);
		try {
			const qmp = resources.use(await Qmp.open(await process.unlessItEnds(server.connection, {signal}), {signal}));
			const sshPort = parseForwardedPort(await qmp.human('info usernet'));
			process.quitBy(qmp);
			const half = {sshPort, qmp, console, gdbSocket, resetLog, process};
			options.onStarted?.(new Vm({...half, bootMs: 0}, new AsyncDisposableStack()));
			await process.unlessItEnds(console.waitForLine(readyLine, {signal}), {signal});
			return new Vm({...half, bootMs: performance.now() - startedAt}, resources.move());
		} catch (error) {
			options.signal?.throwIfAborted();
			throw await bootError(error, {kernel, console, isLate: deadline?.aborted === true, deadlineMs});
		}
	}

	private constructor(
		parts: {
			sshPort: number;
			qmp: Qmp;
			console: Console;
			gdbSocket: string;
			resetLog: string;
			process: QemuProcess;
			bootMs: number;
		},
		resources: AsyncDisposableStack,
	) {
		this.sshPort = parts.sshPort;
		this.qmp = parts.qmp;
		this.console = parts.console;
		this.gdbSocket = parts.gdbSocket;
		this.resetLog = parts.resetLog;
		this.bootMs = parts.bootMs;
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

function parseForwardedPort(text: string): number {
	const match = /TCP\[HOST_FORWARD\]\s+\d+\s+127\.0\.0\.1\s+(\d+)/.exec(text);
	if (!match) throw new BootError(`QEMU forwards no port for SSH: ${text.trim()}`);
	return Number(match[1]);
}

async function bootError(
	error: unknown,
	{
		kernel,
		console,
		isLate,
		deadlineMs,
	}: {kernel: Kernel; console: Console; isLate: boolean; deadlineMs: number | undefined},
): Promise<BootError> {
	await console.refresh().catch(() => {});
	const tail = console.text.trim().split('\n').slice(-12).join('\n');
	const why = isLate ? `was not ready within ${(deadlineMs ?? 0) / 1000} s` : `did not boot: ${messageOf(error)}`;
	const said = tail ? `The end of its console:\n${tail}` : 'It said nothing on its console.';
	return new BootError(`Linux ${kernel.release} (${kernel.id}) ${why}\n${said}`, {cause: error});
}

/** Waits for the one QEMU that was told its path. */
class MonitorServer implements Disposable {
	readonly connection: Promise<net.Socket>;
	readonly #server: net.Server;

	static async listen(socketPath: string): Promise<MonitorServer> {
		const server = net.createServer();
		const {promise, resolve, reject} = Promise.withResolvers<void>();
		server.once('error', reject);
		server.listen(socketPath, resolve);
		await promise;
		return new MonitorServer(server);
	}

	private constructor(server: net.Server) {
		this.#server = server;
		this.connection = new Promise(resolve => server.once('connection', resolve));
	}

	[Symbol.dispose](): void {
		this.#server.close();
	}
}

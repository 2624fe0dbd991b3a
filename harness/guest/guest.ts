// SPDX-License-Identifier: GPL-2.0
import type {AgentOps, Hex} from '../link/agent-protocol.ts';
import type {RunningCommand} from '../link/running-command.ts';
import type {SavedMemory} from './memory-saver.ts';

/** Calls one operation of the agent; see agent-protocol.ts. */
export type Ask = <Op extends keyof AgentOps>(op: Op, request: AgentOps[Op]['in']) => Promise<AgentOps[Op]['out']>;

export type ExecResult = {readonly code: number; readonly stdout: string; readonly stderr: string};

export type GuestFile = {readonly path: string; readonly data: Buffer; readonly mode?: number};

/**
 * `crash`: it reset or powered off; `hang`: it runs, but its agent is lost; `infra`: QEMU was killed or failed. Reports
 * on the console take precedence.
 */
export type GuestEnd = {readonly verdict: 'crash' | 'hang' | 'infra'; readonly message: string};

/** `hang` without a better known cause, or `infra` when the host keeps the guest from running. */
export type Examination = {
	readonly verdict: 'hang' | 'infra';
	/** Which parts still respond, and what each CPU does. */
	readonly words: string;
	readonly evidence: Readonly<Record<string, unknown>>;
};

/** A booted guest with its modules loaded and its agent answering. */
export type Guest = AsyncDisposable & {
	readonly release: string;
	/** Time in ms from the start of QEMU to the agent's first answer, for booted and restored guests. */
	readonly bootMs: number;
	/** How much slower the host is than the idle one that deadlines assume; at least 1. */
	readonly slowness: number;
	/** Runs under TCG, without KVM. */
	readonly isEmulated?: boolean;
	/** Process id of QEMU. */
	readonly pid?: number;
	/** Whether the kernel has this option built in (`CONFIG_X=y`). */
	hasOption(option: string): boolean;
	readonly ask: Ask;
	exec(command: string): Promise<ExecResult>;
	/** Starts a command whose streams the caller reads. */
	start(command: string): Promise<RunningCommand>;
	/** Copies files into the guest; a relative path is below /root. */
	push(...files: readonly GuestFile[]): Promise<void>;
	readonly console: {
		readonly path: string;
		/** The last part of the console output. */
		readonly text: string;
		/** Total length of the console output. */
		readonly end: number;
		/** Output since `end` had this value. */
		from(position: number): string;
		onLine(listener: (line: string) => void): Disposable;
		waitForLine(pattern: RegExp, options?: {signal?: AbortSignal}): Promise<string>;
		refresh(): Promise<void>;
	};
	/** Resolves when the guest can no longer answer. */
	readonly ended: Promise<GuestEnd>;
	/** Adds known source lines to frames, such as `ring_oops+0x7/0x20 [ring] ring.c:40`. Never rejects. */
	locate?(frames: readonly string[]): Promise<readonly string[]>;
	/**
	 * QEMU does not respond either, so the guest cannot have caused it.
	 */
	isHeld?(): Promise<boolean>;
	/** A last look at a hung guest. Takes some seconds at most, never rejects, and leaves the guest unusable. */
	examine?(): Promise<Examination>;
	/** Saves the memory of a guest that crashed or hangs, if that was asked for; never rejects. */
	saveMemory?(): Promise<SavedMemory | undefined>;
	/**
	 * Makes the emulator discard its translations of the functions in `addresses`: under load it can go on executing a
	 * breakpoint that has been removed (harness/qemu/gdb-stub.ts).
	 */
	retranslate(): Promise<void>;
	/** Addresses of symbols looked up so far; emptied when a module is loaded or unloaded. */
	readonly addresses: Map<string, Hex>;
};

import type {AgentOps, Hex} from '../link/agent-protocol.ts';

/** One agent operation, typed by agent-protocol.ts. */
export type Ask = <Op extends keyof AgentOps>(op: Op, request: AgentOps[Op]['in']) => Promise<AgentOps[Op]['out']>;

export type ExecResult = {readonly code: number; readonly stdout: string; readonly stderr: string};

export type GuestFile = {readonly path: string; readonly data: Buffer; readonly mode?: number};

/**
 * crash: it reset or switched itself off; hang: it runs, but its agent is lost; infra: QEMU was killed or failed. The
 * console may know better.
 */
export type GuestEnd = {readonly verdict: 'crash' | 'hang' | 'infra'; readonly message: string};

/** `hang` whose cause is not known better, or `infra` where the host keeps the guest from running. */
export type Examination = {
	readonly verdict: 'hang' | 'infra';
	/** Who still answers, and what each CPU does. */
	readonly words: string;
	readonly evidence: Readonly<Record<string, unknown>>;
};

/** A booted guest with both modules loaded and the agent answering, as the engine sees it. */
export type Guest = AsyncDisposable & {
	readonly release: string;
	/** From the start of QEMU to the agent's first answer, whether it was booted or restored. */
	readonly bootMs: number;
	/** How far the host is from the idle one that deadlines are for; 1 or more. */
	readonly slowness: number;
	/** By a QEMU without acceleration. */
	readonly isEmulated?: boolean;
	/** Of its QEMU. */
	readonly pid?: number;
	/** Whether the kernel's configuration has this option built in: `CONFIG_X=y`. */
	hasOption(option: string): boolean;
	readonly ask: Ask;
	exec(command: string): Promise<ExecResult>;
	push(file: GuestFile): Promise<void>;
	readonly console: {
		readonly path: string;
		/** The end of what was said. */
		readonly text: string;
		/** How much was said. */
		readonly end: number;
		/** What was said since `end` had this value. */
		from(position: number): string;
		onLine(listener: (line: string) => void): Disposable;
		waitForLine(pattern: RegExp, options?: {signal?: AbortSignal}): Promise<string>;
		refresh(): Promise<void>;
	};
	/** Resolves when no more answer can come from it. */
	readonly ended: Promise<GuestEnd>;
	/** Frames of a report with the source lines that are known, `fx_oops+0x7/0x20 [fixtures] crash.c:40`; never rejects. */
	locate?(frames: readonly string[]): Promise<readonly string[]>;
	/** Its QEMU does not answer either: the guest is in no position to say anything. */
	isHeld?(): Promise<boolean>;
	/** A last look at a guest that hangs: takes some seconds at most, never rejects, and leaves the guest unusable. */
	examine?(): Promise<Examination>;
	/**
	 * Makes the emulator forget what it translated from the functions in `addresses`: under load it can go on executing
	 * a breakpoint that is no longer there (harness/qemu/gdb-stub.ts).
	 */
	retranslate(): Promise<void>;
	/** Addresses of symbols found so far; emptied when a module is loaded or unloaded. */
	readonly addresses: Map<string, Hex>;
};

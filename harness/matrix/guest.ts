import type {Hex} from '../link/agent-protocol.ts';
import type {Ask, ExecResult} from './case.ts';

/**
 * crash: it reset or switched itself off; hang: it runs, but its agent is lost; infra: QEMU was killed or failed. The
 * console may know better.
 */
export type GuestEnd = {readonly verdict: 'crash' | 'hang' | 'infra'; readonly message: string};

/** A booted guest with both modules loaded and the agent answering, as the engine sees it. */
export type Guest = AsyncDisposable & {
	readonly release: string;
	/** From the start of QEMU to the agent's first answer, whether it was booted or restored. */
	readonly bootMs: number;
	/** How far the host is from the idle one that deadlines are for; 1 or more. */
	readonly slowness: number;
	/** Whether the kernel's configuration has this option built in: `CONFIG_X=y`. */
	hasOption(option: string): boolean;
	readonly ask: Ask;
	exec(command: string): Promise<ExecResult>;
	readonly console: {
		readonly path: string;
		readonly text: string;
		waitForLine(pattern: RegExp, options?: {signal?: AbortSignal}): Promise<string>;
		refresh(): Promise<void>;
	};
	/** Resolves when no more answer can come from it. */
	readonly ended: Promise<GuestEnd>;
	/**
	 * Makes the emulator forget what it translated from the functions in `addresses`: under load it can go on executing
	 * a breakpoint that is no longer there (harness/vm/gdb-stub.ts).
	 */
	retranslate(): Promise<void>;
	/** Addresses of symbols found so far; emptied when a module is loaded or unloaded. */
	readonly addresses: Map<string, Hex>;
};

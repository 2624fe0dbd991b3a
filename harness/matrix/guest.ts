import type {Hex} from '../link/agent-protocol.ts';
import type {Ask, ExecResult} from './case.ts';

/** A booted guest with both modules loaded and the agent answering, as the engine sees it. */
export type Guest = AsyncDisposable & {
	readonly release: string;
	readonly bootMs: number;
	readonly ask: Ask;
	exec(command: string): Promise<ExecResult>;
	readonly console: {
		readonly path: string;
		readonly text: string;
		waitForLine(pattern: RegExp, options?: {signal?: AbortSignal}): Promise<string>;
		refresh(): Promise<void>;
	};
	/** Settles with a sentence when QEMU has ended, however. */
	readonly ended: Promise<string>;
	/** Addresses of symbols found so far; emptied when a module is loaded or unloaded. */
	readonly addresses: Map<string, Hex>;
};

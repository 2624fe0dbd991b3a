import type {Ask, ExecResult, GuestFile} from '../guest/guest.ts';
import type {
	AgentOps,
	Call,
	CallResult,
	Hex,
	Point,
	ProbeInfo,
	ProgramEvent,
	ProgramName,
} from '../link/agent-protocol.ts';

/** What a mechanism must offer for a case to apply. */
export type Feature = 'entry' | 'return' | 'entry-args' | 'device' | 'library';

/**
 * The kind of function that is probed: assembly without and with a `__fentry__` site, compiled C, a function of vmlinux.
 */
export type TargetKind = (typeof targetKinds)[number];

/** In the order in which people read them. */
export const targetKinds = ['asm', 'asm-fentry', 'c', 'vmlinux'] as const;

export type AttachOptions = {
	readonly point: Point;
	/** Default: `record`. A number is a program handle of the agent's `load`. */
	readonly program?: ProgramName | number;
	/** Where: default is the function of the cell's target kind. */
	readonly at?: Hex;
};

export type Probe = {
	readonly handle: number;
	/** Unique within the case; events and counters carry it. */
	readonly cookie: number;
	info(): Promise<ProbeInfo>;
	/** Closes the descriptor; the end of the case does it otherwise. Gives CLOCK_MONOTONIC after the close. */
	close(): Promise<Hex>;
};

/** What a case works with. Whatever it attaches, loads or starts is undone when it ends. */
export type CaseContext = {
	readonly target: TargetKind;
	readonly ask: Ask;
	/** The guest's kernel, as `uname -r` prints it. */
	readonly release: string;
	/** Whether the kernel was built with `CONFIG_X=y`. */
	hasOption(option: string): boolean;
	/** Aborts at the case's deadline. */
	readonly signal: AbortSignal;
	/** Runs a command in the guest's shell. */
	exec(command: string): Promise<ExecResult>;
	/** Puts a file into the guest, below /root. */
	push(file: GuestFile): Promise<void>;
	/** The address of a symbol that exists once; fails the case if it does not. */
	address(symbol: string): Promise<Hex>;
	attach(options: AttachOptions): Promise<Probe>;
	/** A program's handle; each name is loaded once per case. */
	load(program: ProgramName): Promise<number>;
	/** Calls the cell's target. */
	call(call?: Call): Promise<CallResult>;
	/** What `record` saw since the case began, oldest first; fails the case if events were lost. */
	events(filter?: {readonly cookie: number}): Promise<readonly ProgramEvent[]>;
	/** Starts a loop, churn or fork job; `stop` gives its report. */
	start<Op extends 'startLoop' | 'startChurn' | 'startForks'>(
		op: Op,
		request: AgentOps[Op]['in'],
	): Promise<{stop(): Promise<AgentOps['stopJob']['out']>}>;
	/** Kept in the cell's event, whatever the verdict. */
	evidence(name: string, value: unknown): void;
	/** The guest's processors are QEMU's, which now and then execute code that has been replaced. */
	readonly isEmulated: boolean;
	/**
	 * Resolves after `ms` in the host's time, scaled as deadlines are; for races that need a stretch of it, never to wait
	 * for something.
	 */
	during(ms: number): Promise<void>;
	/** Ends the case: it does not apply here. */
	skip(reason: string): never;
	/** Ends the case: what happened proves nothing. */
	inconclusive(reason: string): never;
};

export type Case = {
	/** `suite/name`. */
	readonly id: string;
	readonly needs: readonly Feature[];
	/** One cell for each; without, one cell (whose target is `asm-fentry`). */
	readonly targets?: readonly TargetKind[];
	/** On an idle guest without acceleration; scaled by the guest's measured speed. */
	readonly deadlineMs: number;
	run(context: CaseContext): Promise<void>;
};

/** Declares a case; see README.md for a complete example. */
export function defineCase(definition: Case): Case {
	if (!/^[a-z]+\/[a-z0-9-]+$/.test(definition.id))
		throw new TypeError(`${definition.id} is not of the form suite/name.`);
	return definition;
}

export class SkipCase extends Error {}
export class InconclusiveCase extends Error {}

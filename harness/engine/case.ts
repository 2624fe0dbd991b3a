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

/** A capability of a mechanism that a case may need. */
export type Feature = 'entry' | 'return' | 'entry-args' | 'device' | 'library';

/**
 * The kind of probed function: assembly without or with a `__fentry__` site, compiled C, or a function of vmlinux.
 */
export type TargetKind = (typeof targetKinds)[number];

/** In the order in which reports show them. */
export const targetKinds = ['asm', 'asm-fentry', 'c', 'vmlinux'] as const;

export type AttachOptions = {
	readonly point: Point;
	/** Default: `record`. A number is a handle from `load`. */
	readonly program?: ProgramName | number;
	/** The address to probe. Default: the function of the cell's target kind. */
	readonly at?: Hex;
};

export type Probe = {
	readonly handle: number;
	/** Unique within the case; events and counters carry it. */
	readonly cookie: number;
	info(): Promise<ProbeInfo>;
	/** Closes the descriptor; otherwise the end of the case does. Resolves with CLOCK_MONOTONIC after the close. */
	close(): Promise<Hex>;
};

/** The API of a case. The end of the case undoes its calls of `attach`, `load` and `start`. */
export type CaseContext = {
	readonly target: TargetKind;
	readonly ask: Ask;
	/** The guest's kernel, as `uname -r` prints it. */
	readonly release: string;
	/** Whether the kernel was built with `CONFIG_X=y`. */
	hasOption(option: string): boolean;
	/** Aborts at the deadline, when the kernel reports a problem, when the guest ends or when the run is interrupted. */
	readonly signal: AbortSignal;
	/** Runs a command in the guest's shell. */
	exec(command: string): Promise<ExecResult>;
	/** Copies a file into the guest, below /root. */
	push(file: GuestFile): Promise<void>;
	/** The address of a symbol. The case fails unless exactly one symbol has this name. */
	address(symbol: string): Promise<Hex>;
	attach(options: AttachOptions): Promise<Probe>;
	/** Resolves with a program's handle. Each program is loaded only once per case. */
	load(program: ProgramName): Promise<number>;
	/** Calls the cell's target. */
	call(call?: Call): Promise<CallResult>;
	/**
	 * The events of `record` since the case began or last requested `reset`, oldest first. The case fails if some were
	 * lost.
	 */
	events(filter?: {readonly cookie: number}): Promise<readonly ProgramEvent[]>;
	/** Starts a loop, churn or fork job; `stop` resolves with its report. */
	start<Op extends 'startLoop' | 'startChurn' | 'startForks'>(
		op: Op,
		request: AgentOps[Op]['in'],
	): Promise<{stop(): Promise<AgentOps['stopJob']['out']>}>;
	/** Stores a value in the cell's event, for every verdict. */
	evidence(name: string, value: unknown): void;
	/** The guest runs under TCG, which occasionally executes code that has been replaced. */
	readonly isEmulated: boolean;
	/**
	 * Resolves after `ms` of host time, scaled like deadlines. For races that must run for some time; never use it to
	 * wait for a condition.
	 */
	during(ms: number): Promise<void>;
	/** Ends the case because it does not apply here. */
	skip(reason: string): never;
	/** Ends the case because this run proves nothing. */
	inconclusive(reason: string): never;
};

export type Case = {
	/** `suite/name`. */
	readonly id: string;
	readonly needs: readonly Feature[];
	/** The case has one cell per target. Without targets it has one cell, whose target is `asm-fentry`. */
	readonly targets?: readonly TargetKind[];
	/** For a guest without acceleration on an idle host; scaled by the guest's measured speed. */
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

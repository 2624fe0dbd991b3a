// SPDX-License-Identifier: GPL-2.0
import {type Case, defineCase as define, type CaseContext as EngineContext} from '../../engine/case.ts';
import type {Guest} from '../../guest/guest.ts';
import type {AgentOps, Hex} from '../../link/agent-protocol.ts';
import type {Call, CallResult, Churned, Point, ProbeInfo, ProgramEvent, ProgramName} from './agent-protocol.ts';

export type {Case} from '../../engine/case.ts';

/** A property that a mechanism may claim, and a case or a target may need. */
export type Feature = (typeof features)[number];

export const features = [
	'entry', // a program runs at the entry of a function
	'return', // and at its return
	'programs', // of any kind, not only one that keeps what it sees
	'arguments', // the six arguments in registers, at the entry
	'stack-arguments', // the seventh and eighth, wherever arguments are
	'registers', // all general registers, as they are there
	'flags',
	'direction-flag', // calls may have it set
	'place', // the function, the stack pointer and the return address in it
	'return-value',
	'arguments-at-return', // as they were at the entry
	'call-stack', // the exact chain of callers, from bpf_get_stackid
	'without-fentry', // also functions without a __fentry__ site
	'without-btf', // also functions without BTF
	'modules', // also functions of modules
	'eight-arguments', // also functions with more than six arguments
	'order', // entry programs in the order of their attachment, return programs in the reverse order
	'cookies', // a program sees the number that was given at the attach
	'shared-programs', // one program at several probes at once, told apart by their cookies
	'session', // one attachment for entry and return, where the entry decides on the return and passes a word to it
	'maxactive', // how many calls in flight have their return seen is given at the attach
	'misses', // calls for which no program ran are counted
	'device', // is bprobe: its device, its listing, its rules
	'library', // and libbprobe
] as const;

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
	/** With the very program of this probe, of the same name (`shared-programs`). */
	readonly sharing?: Probe;
	/** How many calls in flight have their return seen (`maxactive`). */
	readonly maxactive?: number;
};

export type Probe = {
	/** Of bprobe: for operations of the agent. */
	readonly handle: number;
	/** Unique within the case; events and counters carry it. */
	readonly cookie: number;
	/** For failures: its number, point, program and function. */
	readonly what: string;
	info(): Promise<ProbeInfo & {readonly of: string}>;
	/** Closes the descriptor; otherwise the end of the case does. Resolves with CLOCK_MONOTONIC after the close. */
	close(): Promise<Hex>;
};

/** What a case of this suite gets. The end of the case undoes its calls of `attach`, `load` and `start`. */
export type CaseContext = EngineContext & {
	/** `asm-fentry` if the case has no targets. */
	readonly target: TargetKind;
	/** The points at which the cell's mechanism can run a program: one or both. */
	readonly points: readonly Point[];
	/** Whether the cell's mechanism claims a feature: for checks that not every mechanism has to pass. */
	claims(feature: Feature): boolean;
	/** Whether it does, and this kernel has it. */
	has(feature: Feature): boolean;
	/** Calls an operation of the agent. */
	readonly ask: Guest['ask'];
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
	/** What `startChurn` takes for a program of the cell's mechanism. */
	churned(program: ProgramName): Promise<Churned>;
	/** Starts a job; `stop` resolves with its report. */
	start<Op extends 'startLoop' | 'startChurn' | 'startForks' | 'startStaying'>(
		op: Op,
		request: AgentOps[Op]['in'],
	): Promise<{stop(): Promise<AgentOps['stopJob']['out']>}>;
};

/** Declares a case of bprobe; see docs/writing-cases.md for a complete example. */
export function defineCase(
	definition: Case<CaseContext> & {readonly needs: readonly Feature[]; readonly targets?: readonly TargetKind[]},
): Case<CaseContext> {
	return define(definition);
}

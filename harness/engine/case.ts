// SPDX-License-Identifier: GPL-2.0
import type {ExecResult, Guest, GuestFile} from '../guest/guest.ts';
import type {CommandEnd} from '../link/running-command.ts';
import type {Verdict} from '../results/run/verdict.ts';

/** What may be asked about the kernel of a guest. */
export type KernelFacts = Pick<Guest, 'release' | 'hasOption'>;

/** A part of a case with a verdict of its own. */
export type Subtest = {
	/** Without slashes at its ends; a slash names a part of a part. */
	readonly name: string;
	readonly verdict: Extract<Verdict, 'pass' | 'fail' | 'skip'>;
	/** The reason, for every verdict but pass. */
	readonly message?: string;
};

/** The output of a command as it comes. */
export type Streams = {
	onStdout?(chunk: Buffer): void;
	onStderr?(chunk: Buffer): void;
	/** Read to its end. Default: nothing. */
	readonly stdin?: NodeJS.ReadableStream | Buffer;
};

/** The API of a case. Its suite may add to it. */
export type CaseContext = {
	/** The target of the cell, if its case has targets. */
	readonly target: string | undefined;
	/** The guest's kernel, as `uname -r` prints it. */
	readonly release: string;
	/** Whether the kernel was built with `CONFIG_X=y`. */
	hasOption(option: string): boolean;
	/** Aborts at the deadline, when the kernel reports a problem, when the guest ends or when the run is interrupted. */
	readonly signal: AbortSignal;
	/** Runs a command in the guest's shell. */
	exec(command: string): Promise<ExecResult>;
	/** The same, with the output as it comes. */
	stream(command: string, streams: Streams): Promise<CommandEnd>;
	/** Copies files into the guest, all at once; a relative path is below /root. */
	push(...files: readonly GuestFile[]): Promise<void>;
	/** Reads a file of the guest. The case fails if it cannot be read. */
	pull(path: string): Promise<Buffer>;
	/** What the guest's console has printed since the case began. */
	console(): Promise<string>;
	/** The kernel log since the case began, as dmesg prints it. */
	dmesg(): Promise<string>;
	/** Stores a value in the cell's event, for every verdict. */
	evidence(name: string, value: unknown): void;
	/** Reports a part of the case as a cell of its own, whose name is that of the case, a slash, and the subtest's. */
	subtest(subtest: Subtest): void;
	/** The guest runs under TCG, which occasionally executes code that has been replaced. */
	readonly isEmulated: boolean;
	/**
	 * Resolves after `ms` of host time, scaled like deadlines. For races that must run for some time; never use it to
	 * wait for a condition.
	 */
	during(ms: number): Promise<void>;
	/** Ends the case because it does not apply here, which only a running guest could tell; else see `Case.missing`. */
	skip(reason: string): never;
	/** Ends the case because this run proves nothing. */
	inconclusive(reason: string): never;
};

export type Case<Context extends CaseContext = CaseContext> = {
	/** `suite/name`. */
	readonly id: string;
	/** Features that its mechanism must have. */
	readonly needs?: readonly string[];
	/** The case has one cell per target; without targets it has one cell. */
	readonly targets?: readonly string[];
	/** Why the case does not apply to a kernel, as a sentence; undefined if it does. */
	missing?(kernel: KernelFacts): string | undefined;
	/** For a guest without acceleration on an idle host; scaled by the guest's measured speed. */
	readonly deadlineMs: number;
	/** It gets a guest that no other case used. */
	readonly isAlone?: boolean;
	run(context: Context): Promise<void>;
};

/**
 * Declares a case; see docs/writing-cases.md for a complete example. Throws TypeError for an id that is not
 * `suite/name`, and for targets that cannot be named.
 */
export function defineCase<Context extends CaseContext = CaseContext>(definition: Case<Context>): Case<Context> {
	const {id, targets = []} = definition;
	if (!/^[\w.+-]+(?:\/[\w.+-]+)+$/.test(id) || /(?:^|\/)\.\.?(?:\/|$)/.test(id))
		throw new TypeError(`${id} is not of the form suite/name, of letters, digits and ._+-`);
	const wrong = targets.find((target, n) => !/^[\w.+-]+$/.test(target) || targets.indexOf(target) < n);
	if (wrong !== undefined)
		throw new TypeError(
			`${id}: the target ${wrong} is there twice, or has other characters than letters, digits and ._+-`,
		);
	return definition;
}

export class SkipCase extends Error {}
export class InconclusiveCase extends Error {}

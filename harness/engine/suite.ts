// SPDX-License-Identifier: GPL-2.0
import type {GuestContent} from '../build/guest-content.ts';
import type {Guest} from '../guest/guest.ts';
import type {CellName} from '../results/run/events.ts';
import type {Case, CaseContext, KernelFacts} from './case.ts';

/** A way to do what the cases test; a suite with one way has one mechanism. */
export type Mechanism = {
	readonly id: string;
	/** What it claims to do. A case is skipped on a mechanism without the features that it needs. */
	readonly features: ReadonlySet<string>;
	/** Why the guest's kernel does not have it, or not all of these features, as a sentence; undefined if it does. */
	missing?(kernel: KernelFacts, features: readonly string[]): string | undefined;
};

/** A cell that is known to fail, as long as nobody mends it. */
export type KnownFailing = {
	/** For people: why it fails, and what mended it where something did. */
	readonly reason: string;
	/** It does not fail each time. */
	readonly sometimes: boolean;
	/** The title of the kernel report that it ends with. Without one, no crash is known. */
	readonly report?: string | undefined;
};

/** What a suite may do in a guest before and after cases. */
export type SuiteGuest = Pick<Guest, 'ask' | 'exec'>;

/** What a suite knows when it adds to the context of a case. */
export type OpenedCell = {
	readonly mechanism: Mechanism;
	readonly target: string | undefined;
	readonly context: CaseContext;
	readonly ask: Guest['ask'];
	readonly addresses: Guest['addresses'];
	/** Has something undone at the end of the case; the last one first. */
	undo(step: () => Promise<unknown>): void;
};

/** A kernel of the suite that needs no build here, if it has one. */
export function quickKernelOf({kernels}: Pick<Suite, 'kernels'>): string {
	return kernels.fallback ?? kernels.default;
}

/** What is tested: the content of the guests, and the cases. */
export type Suite = {
	/** For messages, and to tell suites apart. */
	readonly name: string;
	/** The options that choose it, for commands that run a cell again; absent if none are needed. */
	readonly options?: string;
	readonly content: GuestContent;
	/** The first one is used if none is asked for. */
	readonly mechanisms: readonly Mechanism[];
	/** All targets of cases, in the order in which reports show them. */
	readonly targets: readonly string[];
	/** Features that a mechanism must have for a target, beside those that the case needs. */
	targetNeeds?(target: string): readonly string[];
	/** Whether a cell is known to fail on the guest's kernel. */
	knownFailing?(cell: CellName, kernel: KernelFacts): KnownFailing | undefined;
	readonly kernels: {
		/** The kernel of a command that names none. */
		readonly default: string;
		/** Used if the default kernel is neither cached nor can be fetched. */
		readonly fallback?: string;
		/** What nightly runs test. Default: every kernel of the catalogue. */
		readonly tested?: readonly string[];
	};
	/**
	 * Paths of files and directories that decide the verdicts, beside harness/, guest/ and images/, which do for every
	 * suite; their hash is the suite's version.
	 */
	readonly sources: readonly string[];
	/** The modules under test, if they are built from sources. */
	readonly modules?: {
		readonly directories: readonly string[];
		/** The content with the modules from other directories, in the same order. */
		at(directories: readonly string[]): GuestContent;
	};
	/** In the order in which reports show them. */
	cases(): Promise<readonly Case[]>;
	/** Adds to the context of each case. */
	open?(opened: OpenedCell): object;
	/** Called in the guest before each case. */
	beforeCell?(guest: SuiteGuest): Promise<unknown>;
	/** Called in the guest after a failed case, before what it did is undone: ends what waits. */
	release?(guest: SuiteGuest): Promise<unknown>;
	/** Sentences about what a case has left in the guest, without the final stop; none if the guest is clean. */
	leftovers?(guest: SuiteGuest): Promise<readonly string[]>;
};

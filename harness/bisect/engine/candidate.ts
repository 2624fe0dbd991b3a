// SPDX-License-Identifier: GPL-2.0
import {UsageError} from '../../host/errors.ts';
import type {Attempt} from './attempt.ts';

/** What one step judges: a release, a commit or a configuration. */
export type Candidate = {
	/** Stable across runs: a kernel id, a commit hash. */
	readonly id: string;
	/** For display. */
	readonly title: string;
};

export type Answer = 'good' | 'bad' | 'skip';

/** A candidate that is ready for attempts. */
export type Prepared = {
	/** Hash of everything a guest can see. Candidates with equal fingerprints share a verdict. */
	readonly fingerprint: string;
	/** Taken from the cache; nothing was built or fetched. */
	readonly isReused: boolean;
	/** What was asked of its configuration in vain, as `CONFIG_A=y (it is n)`. */
	readonly lost?: readonly string[];
};

/** Prepares candidates and runs attempts on them. */
export type TestBench = {
	/** Throws CandidateError when the candidate itself cannot be built. */
	prepare(candidate: Candidate): Promise<Prepared>;
	/** Runs `repeats` attempts. Throws CandidateError, or HostFaultError when this host cannot give an answer. */
	ask(candidate: Candidate, repeats: number): Promise<readonly Attempt[]>;
};

/**
 * Candidates in an order in which good turns to bad exactly once. In a search for a fix it is bad that turns to good, and
 * the range is told the opposite of each verdict.
 */
export type Range = {
	/** The older end. */
	readonly good: Candidate;
	/** The newer end. */
	readonly bad: Candidate;
	/** The next candidate to judge; undefined when the search is done. */
	next(): Promise<Candidate | undefined>;
	mark(candidate: Candidate, verdict: Answer): Promise<void>;
	/** Candidates that could still be judged, and the approximate number of steps that this takes. */
	left(): {readonly candidates: number; readonly steps: number};
	/** What the range went by at the last step, where that is not its own arithmetic: a program and its words. */
	source?(): string;
	/** The first bad candidate, or several when skipped candidates hide which one is first. */
	suspects(): Promise<readonly Candidate[]>;
	/** The candidates just before the suspects, which the result claims to be good. */
	parents(): Promise<readonly Candidate[]>;
	/** Searches again before this candidate, which turned out bad. Forgets the verdicts on others. */
	searchBefore(bad: Candidate): Promise<void>;
	/** Searches again after this candidate. */
	searchAfter(good: Candidate): Promise<void>;
};

/** The candidate does not build or boot, although others do. */
export class CandidateError extends Error {
	override readonly name = 'CandidateError';
}

/** This host cannot give an answer: QEMU, disk or network fails. */
export class HostFaultError extends UsageError {
	override readonly name = 'HostFaultError';
}

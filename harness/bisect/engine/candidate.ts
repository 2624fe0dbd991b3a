import {UsageError} from '../../host/errors.ts';
import type {Attempt} from './attempt.ts';

/** What is judged in one step: a release, a commit, a configuration. */
export type Candidate = {
	/** The same whenever it is named: a kernel's id, a commit's hash. */
	readonly id: string;
	/** For people. */
	readonly title: string;
};

export type Answer = 'good' | 'bad' | 'skip';

/** A candidate that is ready to be asked. */
export type Prepared = {
	/** Of all that a guest gets to see; two candidates with the same one are the same. */
	readonly fingerprint: string;
	/** It lay in the cache. */
	readonly isReused: boolean;
};

/** Where candidates are asked. */
export type TestBench = {
	/** Throws CandidateError where it is the subject's own fault that it cannot be had. */
	prepare(candidate: Candidate): Promise<Prepared>;
	/** Asks so many times, of fresh guests. Throws CandidateError, or HostFaultError where nothing can be known here. */
	ask(candidate: Candidate, repeats: number): Promise<readonly Attempt[]>;
};

/** Subjects in an order in which good ones become bad once. */
export type Range = {
	readonly good: Candidate;
	readonly bad: Candidate;
	/** Which to judge next; nothing when no more is to be learnt. */
	next(): Promise<Candidate | undefined>;
	mark(candidate: Candidate, verdict: Answer): Promise<void>;
	/** How many are still in predicate, and about how many steps that means. */
	left(): {readonly candidates: number; readonly steps: number};
	/** The first bad one; several where those that had to be skipped hide which of them. */
	suspects(): Promise<readonly Candidate[]>;
};

/** The candidate does not build or does not boot, while others do. */
export class CandidateError extends Error {
	override readonly name = 'CandidateError';
}

/** Nothing can be learnt here and now: QEMU, the disk, the network. */
export class HostFaultError extends UsageError {
	override readonly name = 'HostFaultError';
}

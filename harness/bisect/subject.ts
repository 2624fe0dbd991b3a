import {UsageError} from '../host/errors.ts';
import type {Trial} from './trial.ts';

/** What is judged in one step: a release, a commit, a configuration. */
export type Subject = {
	/** The same whenever it is named: a kernel's id, a commit's hash. */
	readonly id: string;
	/** For people. */
	readonly title: string;
};

export type Verdict = 'good' | 'bad' | 'skip';

/** A subject that is ready to be asked. */
export type Prepared = {
	/** Of all that a guest gets to see; two subjects with the same one are the same. */
	readonly fingerprint: string;
	/** It lay in the cache. */
	readonly isReused: boolean;
};

/** Where subjects are asked. */
export type Laboratory = {
	/** Throws SubjectError where it is the subject's own fault that it cannot be had. */
	prepare(subject: Subject): Promise<Prepared>;
	/** Asks so many times, of fresh guests. Throws SubjectError, or HostFaultError where nothing can be known here. */
	ask(subject: Subject, repeats: number): Promise<readonly Trial[]>;
};

/** Subjects in an order in which good ones become bad once. */
export type Range = {
	readonly good: Subject;
	readonly bad: Subject;
	/** Which to judge next; nothing when no more is to be learnt. */
	next(): Promise<Subject | undefined>;
	mark(subject: Subject, verdict: Verdict): Promise<void>;
	/** How many are still in question, and about how many steps that means. */
	left(): {readonly subjects: number; readonly steps: number};
	/** The first bad one; several where those that had to be skipped hide which of them. */
	suspects(): Promise<readonly Subject[]>;
};

/** The subject does not build or does not boot, while others do. */
export class SubjectError extends Error {
	override readonly name = 'SubjectError';
}

/** Nothing can be learnt here and now: QEMU, the disk, the network. */
export class HostFaultError extends UsageError {
	override readonly name = 'HostFaultError';
}

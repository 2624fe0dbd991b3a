// SPDX-License-Identifier: GPL-2.0
import type {Attempt} from './attempt.ts';
import {type Answer, type Candidate, HostFaultError} from './candidate.ts';
import {decide, type Symptoms} from './decide.ts';
import {firstMeasure} from './repeats.ts';

export type Sampling = {
	readonly candidate: Candidate;
	/** Attempts that the journal holds. */
	readonly known: readonly Attempt[];
	ask(times: number): Promise<readonly Attempt[]>;
};

/**
 * Runs as many attempts as `wanted` returns for those so far, until it returns 0. Throws HostFaultError when
 * they stop to tell anything.
 */
export async function sampleUntil(
	{candidate, known, ask}: Sampling,
	wanted: (attempts: readonly Attempt[]) => number,
): Promise<readonly Attempt[]> {
	const attempts = [...known];
	for (;;) {
		const more = wanted(attempts);
		if (more <= 0) return attempts;
		const answers = await ask(more);
		if (answers.length === 0) throw new HostFaultError(`${candidate.title} gives no answer to ${more} repeats.`);
		attempts.push(...answers);
		requireProgress(candidate, attempts);
	}
}

type VerdictOptions = {readonly repeats: number; symptomsOf(attempts: readonly Attempt[]): Symptoms};

type Judged = {readonly verdict: Answer; readonly reason?: string; readonly attempts: readonly Attempt[]};

/** Runs attempts until they decide on good, bad or skip. Throws HostFaultError when they cannot. */
export async function sampleVerdict(sampling: Sampling, {repeats, symptomsOf}: VerdictOptions): Promise<Judged> {
	const decided = (attempts: readonly Attempt[]) => decide(attempts, {repeats, symptoms: symptomsOf(attempts)});
	const attempts = await sampleUntil(sampling, sofar => {
		const decision = decided(sofar);
		return 'more' in decision ? decision.more : 0;
	});
	const decision = decided(attempts);
	if ('fault' in decision) throw new HostFaultError(`${sampling.candidate.title} gives no verdict: ${decision.fault}.`);
	if (!('verdict' in decision)) throw new TypeError('There were too few attempts.');
	return {...decision, attempts};
}

/**
 * Gives up when only void attempts come, from races that never overlap or a host that kills QEMU, or only skips after
 * attempts that were none: repeats do not help.
 */
function requireProgress(candidate: Candidate, attempts: readonly Attempt[]): void {
	const idle = attempts.slice(-2 * firstMeasure);
	if (idle.length < 2 * firstMeasure || idle.some(({end}) => end === 'pass' || end === 'fail')) return;
	throw new HostFaultError(`${candidate.title} gives no verdict in ${idle.length} repeats: ${idle.at(-1)!.message}`);
}

import type {Attempt} from './attempt.ts';
import {type Answer, type Candidate, HostFaultError} from './candidate.ts';
import {decide, type Symptoms} from './decide.ts';
import {firstMeasure} from './repeats.ts';

export type Sampling = {
	readonly candidate: Candidate;
	/** What is known from before. */
	readonly known: readonly Attempt[];
	/** Resolves with at least one attempt. */
	ask(times: number): Promise<readonly Attempt[]>;
};

/** Asks as often as `wanted` says of the attempts so far, until it says 0. Throws HostFaultError where no answer comes. */
export async function sampleUntil(
	{candidate, known, ask}: Sampling,
	wanted: (attempts: readonly Attempt[]) => number,
): Promise<readonly Attempt[]> {
	const attempts = [...known];
	for (;;) {
		const more = wanted(attempts);
		if (more <= 0) return attempts;
		attempts.push(...(await ask(more)));
		requireProgress(candidate, attempts);
	}
}

type VerdictOptions = {readonly repeats: number; symptomsOf(attempts: readonly Attempt[]): Symptoms};

type Judged = {readonly verdict: Answer; readonly reason?: string; readonly attempts: readonly Attempt[]};

/** Asks until that many passes make the candidate good, or its symptoms bad. Throws HostFaultError where no answer comes. */
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

/** Races that never overlap, a host that kills QEMU: no number of repeats helps. */
function requireProgress(candidate: Candidate, attempts: readonly Attempt[]): void {
	const idle = attempts.slice(-2 * firstMeasure);
	if (idle.length < 2 * firstMeasure || idle.some(({end}) => end !== 'void')) return;
	throw new HostFaultError(`${candidate.title} gives no verdict in ${idle.length} repeats: ${idle.at(-1)!.message}`);
}

import {decide, type Symptoms} from './decide.ts';
import {firstMeasure} from './repeats.ts';
import {HostFaultError, type Subject, type Verdict} from './subject.ts';
import type {Trial} from './trial.ts';

export type Asking = {
	readonly subject: Subject;
	/** What is known from before. */
	readonly known: readonly Trial[];
	/** Resolves with at least one trial. */
	ask(times: number): Promise<readonly Trial[]>;
};

/** Asks as often as `wanted` says of the trials so far, until it says 0. Throws HostFaultError where no answer comes. */
export async function askUntil(
	{subject, known, ask}: Asking,
	wanted: (trials: readonly Trial[]) => number,
): Promise<readonly Trial[]> {
	const trials = [...known];
	for (;;) {
		const more = wanted(trials);
		if (more <= 0) return trials;
		trials.push(...(await ask(more)));
		mustGetSomewhere(subject, trials);
	}
}

type VerdictOptions = {readonly repeats: number; symptomsOf(trials: readonly Trial[]): Symptoms};

type Judged = {readonly verdict: Verdict; readonly reason?: string; readonly trials: readonly Trial[]};

/** Asks until that many passes make the subject good, or its symptoms bad. Throws HostFaultError where no answer comes. */
export async function askForVerdict(asking: Asking, {repeats, symptomsOf}: VerdictOptions): Promise<Judged> {
	const decided = (trials: readonly Trial[]) => decide(trials, {repeats, symptoms: symptomsOf(trials)});
	const trials = await askUntil(asking, sofar => {
		const decision = decided(sofar);
		return 'more' in decision ? decision.more : 0;
	});
	const decision = decided(trials);
	if ('fault' in decision) throw new HostFaultError(`${asking.subject.title} gives no answer: ${decision.fault}.`);
	if (!('verdict' in decision)) throw new TypeError('The trials are not enough after all.');
	return {...decision, trials};
}

/** Races that never overlap, a host that kills QEMU: no number of repeats helps. */
function mustGetSomewhere(subject: Subject, trials: readonly Trial[]): void {
	const idle = trials.slice(-2 * firstMeasure);
	if (idle.length < 2 * firstMeasure || idle.some(({end}) => end !== 'void')) return;
	throw new HostFaultError(`${subject.title} gives no answer in ${idle.length} repeats: ${idle.at(-1)!.message}`);
}

import type {Verdict} from './subject.ts';
import type {Trial} from './trial.ts';

/** What counts as bad: one of these symptoms, or `undefined` for any failure. */
export type Symptoms = ReadonlySet<string> | undefined;

export type Tally = {
	/** Failed as the bad end does. */
	readonly bad: number;
	/** Failed otherwise. */
	readonly other: number;
	readonly passed: number;
	readonly skipped: number;
	readonly idle: number;
	/** All that said anything. */
	readonly asked: number;
};

export type Decision =
	| {readonly verdict: Verdict; readonly reason?: string}
	/** Too early to say: ask so many times more. */
	| {readonly more: number}
	/** It does not come to an answer, and that is not the subject's fault. */
	| {readonly fault: string};

/** One failure alone may be a stray one. */
const provedBad = 2;
const firstBatch = 3;

/** How the trials ended. */
export function tally(trials: readonly Trial[], symptoms: Symptoms): Tally {
	const count = (isCounted: (trial: Trial) => boolean) => trials.filter(isCounted).length;
	const isBad = (trial: Trial) =>
		trial.end === 'fail' && (!symptoms || trial.symptoms.some(symptom => symptoms.has(symptom)));
	const bad = count(isBad);
	const other = count(trial => trial.end === 'fail' && !isBad(trial));
	const passed = count(({end}) => end === 'pass');
	const skipped = count(({end}) => end === 'skip');
	return {bad, other, passed, skipped, idle: count(({end}) => end === 'void'), asked: bad + other + passed};
}

/** What the trials so far say of a subject, where that many passes are needed to call it good. */
export function decide(trials: readonly Trial[], {repeats, symptoms}: {repeats: number; symptoms: Symptoms}): Decision {
	const {bad, other, passed, skipped, idle, asked} = tally(trials, symptoms);
	if (bad >= provedBad) return {verdict: 'bad'};
	if (skipped > 0 && asked === 0) return {verdict: 'skip', reason: reasonOf(trials, 'skip')};
	if (bad === 0 && passed >= repeats) return {verdict: 'good'};
	if (idle > 2 * repeats + firstBatch) return {fault: reasonOf(trials, 'void')};
	if (bad === 0 && passed === 0 && other >= Math.min(repeats, firstBatch))
		return {verdict: 'skip', reason: `fails in another way: ${reasonOf(trials, 'fail')}`};
	const most = 3 * repeats;
	if (asked >= most) {
		const what = bad > 0 ? `failed only ${bad} of ${asked} times` : `failed in another way ${other} of ${asked} times`;
		return {verdict: 'skip', reason: `${what}: ${reasonOf(trials, 'fail')}`};
	}
	// Growing, so that a bad one costs little and a good one few starts.
	const batch = Math.max(firstBatch, trials.length);
	return {more: Math.min(batch, Math.max(1, bad > 0 ? most - asked : repeats - passed))};
}

function reasonOf(trials: readonly Trial[], end: Trial['end']): string {
	return trials.findLast(trial => trial.end === end && trial.message !== undefined)?.message ?? 'no reason is known';
}

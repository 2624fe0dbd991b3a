import type {Attempt} from './attempt.ts';
import type {Answer} from './candidate.ts';

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
	| {readonly verdict: Answer; readonly reason?: string}
	/** Too early to say: ask so many times more. */
	| {readonly more: number}
	/** It does not come to an answer, and that is not the subject's fault. */
	| {readonly fault: string};

/** One failure alone may be a stray one. */
const provedBad = 2;
const firstBatch = 3;

/** How the attempts ended. */
export function tally(attempts: readonly Attempt[], symptoms: Symptoms): Tally {
	const count = (isCounted: (attempt: Attempt) => boolean) => attempts.filter(isCounted).length;
	const isBad = (attempt: Attempt) =>
		attempt.end === 'fail' && (!symptoms || attempt.symptoms.some(symptom => symptoms.has(symptom)));
	const bad = count(isBad);
	const other = count(attempt => attempt.end === 'fail' && !isBad(attempt));
	const passed = count(({end}) => end === 'pass');
	const skipped = count(({end}) => end === 'skip');
	return {bad, other, passed, skipped, idle: count(({end}) => end === 'void'), asked: bad + other + passed};
}

/** What the attempts so far say of a candidate, where that many passes are needed to call it good. */
export function decide(
	attempts: readonly Attempt[],
	{repeats, symptoms}: {repeats: number; symptoms: Symptoms},
): Decision {
	const {bad, other, passed, skipped, idle, asked} = tally(attempts, symptoms);
	if (bad >= provedBad) return {verdict: 'bad'};
	if (skipped > 0 && asked === 0) return {verdict: 'skip', reason: reasonOf(attempts, 'skip')};
	if (bad === 0 && passed >= repeats) return {verdict: 'good'};
	if (idle > 2 * repeats + firstBatch) return {fault: reasonOf(attempts, 'void')};
	if (bad === 0 && passed === 0 && other >= Math.min(repeats, firstBatch))
		return {verdict: 'skip', reason: `fails differently: ${reasonOf(attempts, 'fail')}`};
	const most = 3 * repeats;
	if (asked >= most) {
		const what = bad > 0 ? `failed only ${bad} of ${asked} times` : `failed differently ${other} of ${asked} times`;
		return {verdict: 'skip', reason: `${what}: ${reasonOf(attempts, 'fail')}`};
	}
	// Growing, so that a bad one costs little and a good one few starts.
	const batch = Math.max(firstBatch, attempts.length);
	return {more: Math.min(batch, Math.max(1, bad > 0 ? most - asked : repeats - passed))};
}

function reasonOf(attempts: readonly Attempt[], end: Attempt['end']): string {
	return (
		attempts.findLast(attempt => attempt.end === end && attempt.message !== undefined)?.message ?? 'no reason is known'
	);
}

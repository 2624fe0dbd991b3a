// SPDX-License-Identifier: GPL-2.0
import type {Attempt} from './attempt.ts';
import type {Answer} from './candidate.ts';

/** What counts as bad: one of these symptoms, or `undefined` for any failure. */
export type Symptoms = ReadonlySet<string> | undefined;

export type Tally = {
	/** Failed with a symptom of the bad end. */
	readonly bad: number;
	/** Failed with another symptom. */
	readonly other: number;
	readonly passed: number;
	readonly skipped: number;
	readonly idle: number;
	/** Attempts that passed or failed; the sum of `bad`, `other` and `passed`. */
	readonly asked: number;
};

export type Decision =
	| {readonly verdict: Answer; readonly reason?: string}
	/** Undecided: run this many more attempts. */
	| {readonly more: number}
	/** No answer, and the candidate is not the cause. */
	| {readonly fault: string};

/** A single failure may be unrelated. */
const provedBad = 2;
const firstBatch = 3;
/** After one failure, this many attempts look for another: the bug may show rarely here. */
const secondFailure = 30;

/** Counts attempts by how they ended. */
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

/** Decides on a candidate from its attempts so far. `repeats` is the number of passes that makes it good. */
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
	const most = bad > 0 ? Math.max(secondFailure, 3 * repeats) : 3 * repeats;
	if (asked >= most) {
		const what = bad > 0 ? `failed only ${bad} of ${asked} times` : `failed differently ${other} of ${asked} times`;
		return {verdict: 'skip', reason: `${what}: ${reasonOf(attempts, 'fail')}`};
	}
	// Batches grow, so that a bad candidate needs few attempts and a good one needs few boots.
	const batch = Math.max(firstBatch, attempts.length);
	return {more: Math.min(batch, Math.max(1, bad > 0 ? most - asked : repeats - passed))};
}

function reasonOf(attempts: readonly Attempt[], end: Attempt['end']): string {
	return (
		attempts.findLast(attempt => attempt.end === end && attempt.message !== undefined)?.message ?? 'no reason is known'
	);
}

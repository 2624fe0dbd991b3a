// SPDX-License-Identifier: GPL-2.0
/** Of `asked` attempts, `failed` failed. */
export type Rate = {readonly failed: number; readonly asked: number};

/** Number of attempts on the bad end at first, and the number when some of those pass. */
export const firstMeasure = 10;
export const flakyMeasure = 20;

/** Minimum number of passes: fewer say too little about a kernel, even if the bad end fails every time. */
const leastRepeats = 3;

/** Maximum number of passes; more would make each step take too long. */
export const mostRepeats = 200;

/**
 * Confidence of a step's "good". It may be low: a bad candidate that was taken for good leads to a result whose parent
 * is bad, and the check of the parent finds that. It costs time then, not the result.
 */
const stepConfidence = 0.9;

/**
 * The result claims that the candidate before it is good. How often the bug would show there is not known: a later
 * commit may have made it show more often. The bug is assumed to show in at least this share of attempts, and at least
 * half as often as in the nearest bad candidates.
 */
export const leastRate = 0.1;

/**
 * Probability that a bad candidate passes `passes` times in a row, given the rate of others. It is the mean over a beta
 * distribution of failure rates with Jeffreys' prior, so a rate from few attempts gives a higher probability.
 */
export function missChance({failed, asked}: Rate, passes: number): number {
	const a = failed + 0.5;
	const b = asked - failed + 0.5;
	let chance = 1;
	for (let pass = 0; pass < passes; pass++) chance *= (b + pass) / (a + b + pass);
	return chance;
}

/** Number of passes in a row that makes a candidate good; undefined if that is more than mostRepeats. */
export function repeatsFor(rate: Rate, confidence = stepConfidence): number | undefined {
	for (let repeats = leastRepeats; repeats <= mostRepeats; repeats++) {
		if (missChance(rate, repeats) <= 1 - confidence) return repeats;
	}
	return undefined;
}

/** Probability that the candidate before the result is bad and passes nevertheless; see leastRate. */
export function parentMissChance(nearest: Rate, passes: number): number {
	return Math.max((1 - leastRate) ** passes, halfRateMissChance(nearest, passes));
}

/** Number of passes that the candidate before the result needs for this confidence; at most mostRepeats. */
export function parentRepeatsFor(nearest: Rate, confidence: number): number {
	let [enough, few] = [mostRepeats, leastRepeats - 1];
	while (enough - few > 1) {
		const middle = Math.floor((enough + few) / 2);
		if (parentMissChance(nearest, middle) <= 1 - confidence) enough = middle;
		else few = middle;
	}
	return enough;
}

/** Like missChance, but the bug shows half as often. There is no closed form, so this sums up. */
function halfRateMissChance({failed, asked}: Rate, passes: number): number {
	const [a, b] = [failed + 0.5, asked - failed + 0.5];
	const parts = 64;
	// In this variable, the density of the rate sin² is finite at both ends.
	const angles = Array.from({length: parts}, (_, part) => ((part + 0.5) / parts) * (Math.PI / 2));
	const logs = angles.map(angle => (2 * a - 1) * Math.log(Math.sin(angle)) + (2 * b - 1) * Math.log(Math.cos(angle)));
	// Relative to the largest, because powers of many attempts underflow.
	const largest = Math.max(...logs);
	let [sum, weights] = [0, 0];
	for (const [part, angle] of angles.entries()) {
		const weight = Math.exp(logs[part]! - largest);
		weights += weight;
		sum += weight * (1 - Math.sin(angle) ** 2 / 2) ** passes;
	}
	return sum / weights;
}

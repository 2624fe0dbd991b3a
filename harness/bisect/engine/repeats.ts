// SPDX-License-Identifier: GPL-2.0
/** Of `asked` attempts, `failed` failed. */
export type Rate = {readonly failed: number; readonly asked: number};

/** Number of attempts on the bad end at first, and the number when some of those pass. */
export const firstMeasure = 10;
export const flakyMeasure = 20;

/** Minimum number of passes: fewer say too little about a kernel, even if the bad end fails every time. */
export const leastRepeats = 3;

/** Maximum number of passes; more would make each step take too long. */
export const mostRepeats = 200;

/**
 * Probability that a bad candidate passes `passes` times in a row, given the measured rate of the bad end. It is the
 * mean over a beta distribution of failure rates with Jeffreys' prior, so a rate from few attempts gives a higher
 * probability.
 */
export function missChance({failed, asked}: Rate, passes: number): number {
	const a = failed + 0.5;
	const b = asked - failed + 0.5;
	let chance = 1;
	for (let pass = 0; pass < passes; pass++) chance *= (b + pass) / (a + b + pass);
	return chance;
}

/** Confidence that each of `steps` verdicts needs so that all of them together reach `confidence`. */
export function stepConfidence(confidence: number, steps: number): number {
	return confidence ** (1 / Math.max(1, steps));
}

/**
 * Number of passes in a row that makes a candidate good at this confidence; undefined if that is more than mostRepeats.
 */
export function repeatsFor(rate: Rate, confidence: number): number | undefined {
	for (let repeats = leastRepeats; repeats <= mostRepeats; repeats++) {
		if (missChance(rate, repeats) <= 1 - confidence) return repeats;
	}
	return undefined;
}

/** Confidence of a result that requires all of these good verdicts to be right. */
export function confidenceOf(rate: Rate, passesOfGoodSteps: readonly number[]): number {
	return passesOfGoodSteps.reduce((product, passes) => product * (1 - missChance(rate, passes)), 1);
}

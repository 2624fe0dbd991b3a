/** So many times a candidate was asked, and so many times it failed. */
export type Rate = {readonly failed: number; readonly asked: number};

/** The bad end is asked so often at first, and so often where it then turns out to fail only at times. */
export const firstMeasure = 10;
export const flakyMeasure = 20;

/** Fewer say too little about a kernel, however surely the bad one fails. */
export const leastRepeats = 3;

/** More than this nobody wants to wait for at each step. */
export const mostRepeats = 200;

/**
 * How likely a bad candidate is to pass that many times in a row, by what was seen of the bad end: the mean over all
 * failure rates that explain it (a beta distribution with Jeffreys' prior), so that few measurements count as few.
 */
export function missChance({failed, asked}: Rate, passes: number): number {
	const a = failed + 0.5;
	const b = asked - failed + 0.5;
	let chance = 1;
	for (let pass = 0; pass < passes; pass++) chance *= (b + pass) / (a + b + pass);
	return chance;
}

/** How sure each of so many verdicts has to be for all of them together to be as sure as asked for. */
export function stepConfidence(confidence: number, steps: number): number {
	return confidence ** (1 / Math.max(1, steps));
}

/**
 * So many passes in a row make a candidate good with that confidence; `undefined` if that were more than anybody wants to
 * wait for.
 */
export function repeatsFor(rate: Rate, confidence: number): number | undefined {
	for (let repeats = leastRepeats; repeats <= mostRepeats; repeats++) {
		if (missChance(rate, repeats) <= 1 - confidence) return repeats;
	}
	return undefined;
}

/** How sure a result is that rests on verdicts of these: none of them may be wrong. */
export function confidenceOf(rate: Rate, passesOfGoodSteps: readonly number[]): number {
	return passesOfGoodSteps.reduce((product, passes) => product * (1 - missChance(rate, passes)), 1);
}

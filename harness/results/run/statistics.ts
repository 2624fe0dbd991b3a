// SPDX-License-Identifier: GPL-2.0
/**
 * One-sided p-value of the Mann–Whitney test that `after` is larger than `before`, by normal approximation with
 * corrections for ties and continuity. 1 if there is nothing to compare.
 */
export function chanceOfLarger(before: readonly number[], after: readonly number[]): number {
	const [m, n] = [before.length, after.length];
	if (m === 0 || n === 0) return 1;
	const {ranks, ties} = rank([...before, ...after]);
	const sumAfter = ranks.slice(m).reduce((sum, each) => sum + each, 0);
	const u = sumAfter - (n * (n + 1)) / 2;
	const total = m + n;
	const variance = ((m * n) / 12) * (total + 1 - ties / (total * (total - 1)));
	if (variance <= 0) return 1;
	const chance = 1 - normalBelow((u - (m * n) / 2 - 0.5) / Math.sqrt(variance));
	// The probability that `after` holds exactly the largest values is a lower bound, which the approximation can
	// undercut with few values or many ties.
	return Math.max(chance, 1 / waysToChoose(m + n, n));
}

function waysToChoose(total: number, chosen: number): number {
	let ways = 1;
	for (let n = 1; n <= chosen; n++) ways *= (total - chosen + n) / n;
	return ways;
}

/** Ranks from 1; equal values share their mean rank. `ties` is the sum of t³ − t over groups of t equal values. */
function rank(values: readonly number[]): {ranks: readonly number[]; ties: number} {
	const order = values.map((_, index) => index).sort((a, b) => values[a]! - values[b]!);
	const ranks = values.map(() => 0);
	let ties = 0;
	for (let start = 0; start < order.length; ) {
		let end = start;
		while (end < order.length && values[order[end]!] === values[order[start]!]) end++;
		for (const index of order.slice(start, end)) ranks[index] = (start + 1 + end) / 2;
		ties += (end - start) ** 3 - (end - start);
		start = end;
	}
	return {ranks, ties};
}

/** The normal distribution function; Abramowitz and Stegun 7.1.26, with an error of at most 2e-7. */
function normalBelow(z: number): number {
	const x = Math.abs(z) / Math.SQRT2;
	const t = 1 / (1 + 0.3275911 * x);
	const series = t * (0.254829592 + t * (-0.284496736 + t * (1.421413741 + t * (-1.453152027 + t * 1.061405429))));
	const erf = 1 - series * Math.exp(-x * x);
	return z < 0 ? (1 - erf) / 2 : (1 + erf) / 2;
}

/** The median, or 0 of nothing. */
export function median(values: readonly number[]): number {
	const sorted = values.toSorted((a, b) => a - b);
	const middle = sorted.length >> 1;
	if (sorted.length % 2 === 1) return sorted[middle]!;
	return sorted.length === 0 ? 0 : (sorted[middle - 1]! + sorted[middle]!) / 2;
}

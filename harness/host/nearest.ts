// SPDX-License-Identifier: GPL-2.0
/** The candidate that a misspelt word most likely stands for, or undefined if it takes more than `most` edits to any. */
export function nearest(word: string, candidates: readonly string[], most: number): string | undefined {
	const distances = candidates.map(candidate => ({candidate, distance: editDistance(word, candidate)}));
	const [first] = distances.toSorted((a, b) => a.distance - b.distance);
	return first && first.distance <= most ? first.candidate : undefined;
}

/** How many characters have to be inserted, removed or replaced. */
function editDistance(a: string, b: string): number {
	let row = Array.from({length: b.length + 1}, (_, index) => index);
	for (let i = 1; i <= a.length; i++) {
		const next = [i];
		for (let j = 1; j <= b.length; j++) {
			next[j] = Math.min(row[j]! + 1, next[j - 1]! + 1, row[j - 1]! + (a[i - 1] === b[j - 1] ? 0 : 1));
		}
		row = next;
	}
	return row[b.length]!;
}

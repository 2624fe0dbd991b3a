// SPDX-License-Identifier: GPL-2.0
/**
 * Cuts a run into `count` parts of about the same duration. Kernels are not split, so that each boots once. The longest
 * kernel goes first, each to the shortest part so far. The same kernels and times give the same parts on every host.
 */
export function cutShards(
	kernels: readonly string[],
	count: number,
	expectedMs: (kernel: string) => number | undefined = () => undefined,
): readonly (readonly string[])[] {
	const known = kernels.map(expectedMs).filter(ms => ms !== undefined && ms > 0) as number[];
	const average = known.length > 0 ? known.reduce((sum, ms) => sum + ms, 0) / known.length : 1;
	const weighted = kernels.map(kernel => ({kernel, ms: expectedMs(kernel) || average}));
	const parts = Array.from({length: count}, () => ({ms: 0, kernels: [] as string[]}));
	for (const {kernel, ms} of weighted.toSorted((a, b) => b.ms - a.ms)) {
		const least = parts.reduce((best, part) => (part.ms < best.ms ? part : best));
		least.kernels.push(kernel);
		least.ms += ms;
	}
	return parts.map(part => part.kernels);
}

/**
 * Cuts a run into so many parts of whole kernels (one boot each) that take about as long as each other: the longest
 * first, each to the part that has least. The same kernels and times make the same parts, on whichever host.
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

// SPDX-License-Identifier: GPL-2.0
/**
 * The limits of reruns. ARCHITECTURE.md, "What is run again", says when and in which guest. The limits multiply, so
 * changing one changes the longest possible run.
 */
export const retryPolicy = {
	/** Stretches of a race in the same guest until its two sides overlap. On an idle host the first is enough. */
	stretchesPerRace: 16,
	/** Cells that passed shortly before a report and then run alone to find the one that caused it. */
	suspectsPerReport: 4,
	/** Failed cells of a run that are rerun and fail again; after these, the module counts as broken, not flaky. */
	confirmationsPerRun: 8,
	/** Reruns of a cell that fails newly in a nightly run. */
	rerunsPerNewFailure: 10,
	/** Newly failing cells of a kernel that are rerun in a nightly run. With more, the cause is not flakiness. */
	newFailuresPerKernel: 20,
} as const;

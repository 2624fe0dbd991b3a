/**
 * Who is run again, and at most how often. ARCHITECTURE.md, "What is run again", says when and in which guest; the limits
 * multiply, so a change of one is a change of the longest run.
 */
export const retryPolicy = {
	/** Stretches of a race until both sides have overlapped, in the same guest. On an idle host the first is enough. */
	stretchesPerRace: 16,
	/** Cells that passed shortly before a report and are run alone to find the one that causes it. */
	suspectsPerReport: 4,
	/** Failed cells of a run that are rerun and fail again; after these the module is broken, not flaky. */
	confirmationsPerRun: 8,
	/** Reruns of a cell that fails newly in a nightly run. */
	rerunsPerNewFailure: 10,
	/** Newly failing cells of a kernel that are rerun in a nightly run; if there are more, none of them is flaky. */
	newFailuresPerKernel: 20,
} as const;

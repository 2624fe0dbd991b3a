/** How a cell ended. fail: an assertion; crash: the kernel died or complained; infra: the harness or the host failed. */
export const verdicts = ['pass', 'fail', 'crash', 'hang', 'inconclusive', 'skip', 'infra'] as const;

export type Verdict = (typeof verdicts)[number];

type Judged = {readonly verdict: Verdict};

/** The module failed: the cell failed, crashed or hung. */
export function isFailure({verdict}: Judged): boolean {
	return verdict === 'fail' || verdict === 'crash' || verdict === 'hang';
}

/** Nothing is wrong: passed, or skipped for a reason. */
export function isGreen({verdict}: Judged): boolean {
	return verdict === 'pass' || verdict === 'skip';
}

/**
 * 0 all passed · 1 a cell failed, crashed or hung · 3 nothing failed, but something asked for could not run.
 * (2, usage or set-up, and 130, interrupted, are not a matter of verdicts.)
 */
export function exitCode(
	counts: Readonly<Record<Verdict, number>>,
	{isKernelMissing}: {isKernelMissing: boolean},
): 0 | 1 | 3 {
	if (counts.fail + counts.crash + counts.hang > 0) return 1;
	return counts.infra + counts.inconclusive > 0 || isKernelMissing ? 3 : 0;
}

// SPDX-License-Identifier: GPL-2.0
/**
 * How a cell ended. `fail`: an assertion failed; `known`: the same, but its suite lists it as a known failing; `crash`:
 * the kernel died or reported a problem; `infra`: harness or host failed.
 */
export const verdicts = ['pass', 'known', 'fail', 'crash', 'hang', 'inconclusive', 'skip', 'infra'] as const;

export type Verdict = (typeof verdicts)[number];

type Judged = {readonly verdict: Verdict};

/** The module failed: the cell failed, crashed or hung. */
export function isFailure({verdict}: Judged): boolean {
	return verdict === 'fail' || verdict === 'crash' || verdict === 'hang';
}

/** Passed, skipped for a reason, or failed as is known. */
export function isGreen({verdict}: Judged): boolean {
	return verdict === 'pass' || verdict === 'skip' || verdict === 'known';
}

/**
 * Exit status by verdicts: 0 all passed, 1 a cell failed, crashed or hung, 3 nothing failed, but something requested
 * could not run. Others do not depend on verdicts: 2 is wrong usage or set-up, 130 an interrupt.
 */
export function exitCode(
	counts: Readonly<Record<Verdict, number>>,
	{isKernelMissing}: {isKernelMissing: boolean},
): 0 | 1 | 3 {
	if (counts.fail + counts.crash + counts.hang > 0) return 1;
	return counts.infra + counts.inconclusive > 0 || isKernelMissing ? 3 : 0;
}

// SPDX-License-Identifier: GPL-2.0
import os from 'node:os';

/** Memory of QEMU beside the guest's, mostly for translated code. */
const qemuMib = 256;

/**
 * How many guests run at once: `jobs` (default: one for each core), or as many as the host has memory for.
 * `guestsMib`: the sizes of the guests of each kernel; all that run at once may be of the largest.
 */
export function workerCount(
	guestsMib: readonly number[],
	{jobs = os.availableParallelism(), freeMib = os.freemem() / 2 ** 20}: {jobs?: number | undefined; freeMib?: number},
): number {
	return Math.max(1, Math.min(jobs, Math.floor(freeMib / (Math.max(...guestsMib) + qemuMib))));
}

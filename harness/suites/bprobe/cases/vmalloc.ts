// SPDX-License-Identifier: GPL-2.0
import type {CaseContext} from '../case.ts';

/** The callers that allocated the areas of bprobe and of its programs; those of modules that are gone are addresses. */
export async function vmallocAreas(context: CaseContext): Promise<readonly string[]> {
	// Programs are freed after a grace period, by a worker.
	const {stdout} = await context.exec('sleep 1; cat /proc/vmallocinfo');
	const callers = [...stdout.matchAll(/^\S+ +\d+ (bpf_prog_alloc\w*|bp_\w+|0x[\da-f]+)\b/gm)];
	return callers.map(([, caller]) => caller!).toSorted();
}

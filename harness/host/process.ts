// SPDX-License-Identifier: GPL-2.0
import {readFileSync} from 'node:fs';

/** Tells a process from a later one with the same pid. */
export type ProcessIdentity = {readonly pid: number; readonly startTime: string};

/** Undefined when there is no such process, or it is a zombie. */
export function identityOf(pid: number): ProcessIdentity | undefined {
	try {
		const stat = readFileSync(`/proc/${pid}/stat`, 'utf8');
		// The name may contain anything, so parse from the last parenthesis.
		const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
		return fields[0] === 'Z' ? undefined : {pid, startTime: fields[19] ?? ''};
	} catch {
		// No such process.
		return undefined;
	}
}

/** Whether this very process still runs. */
export function isAlive({pid, startTime}: ProcessIdentity): boolean {
	return startTime !== undefined && identityOf(pid)?.startTime === startTime;
}

/** CPU time of a process and its threads, in ms. */
export function cpuMsOf(pid: number): number {
	const stat = readFileSync(`/proc/${pid}/stat`, 'utf8');
	const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
	// The unit is 1/100 s (USER_HZ), whatever the kernel's tick rate is.
	return 10 * (Number(fields[11]) + Number(fields[12]));
}

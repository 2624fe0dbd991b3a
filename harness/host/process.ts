import {readFileSync} from 'node:fs';

/** What tells a process from a later one with the same number. */
export type ProcessIdentity = {readonly pid: number; readonly startTime: string};

/** Nothing where there is no such process, or only its end waits to be noticed. */
export function identityOf(pid: number): ProcessIdentity | undefined {
	try {
		const stat = readFileSync(`/proc/${pid}/stat`, 'utf8');
		// The name before the last parenthesis may hold anything.
		const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
		return fields[0] === 'Z' ? undefined : {pid, startTime: fields[19] ?? ''};
	} catch {
		// No such process.
		return undefined;
	}
}

/** Whether it is that very process that has the number now. */
export function isAlive({pid, startTime}: ProcessIdentity): boolean {
	return startTime !== undefined && identityOf(pid)?.startTime === startTime;
}

/** What a process of ours has used of the processors. */
export function cpuMsOf(pid: number): number {
	const stat = readFileSync(`/proc/${pid}/stat`, 'utf8');
	const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
	// In hundredths of a second, whatever the kernel's own tick.
	return 10 * (Number(fields[11]) + Number(fields[12]));
}

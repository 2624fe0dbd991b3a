import assert from 'node:assert/strict';
import type {CaseContext} from '../../../engine/case.ts';
import {retryPolicy} from '../../../engine/retry-policy.ts';
import type {LoopReport, TargetName} from '../../../link/agent-protocol.ts';

/** Long enough for half a dozen rounds on an idle host without acceleration; races take more of them until it is shown. */
export const stretchMs = 350;

/** Loops check every register of every call; the verify programs check them at the hook. */
export async function startCallers(
	context: CaseContext,
	{threads = 2, irq = false}: {threads?: number; irq?: boolean} = {},
): Promise<{stop(): Promise<LoopReport[]>}> {
	const target = context.target as TargetName;
	const jobs = [await context.start('startLoop', {target, context: 'task', threads, seed: '0x1000'})];
	if (irq) {
		jobs.push(await context.start('startLoop', {target, context: 'softirq', seed: '0x2000', periodUs: 500}));
		jobs.push(await context.start('startLoop', {target, context: 'hardirq', seed: '0x3000', periodUs: 500}));
	}
	return {
		async stop() {
			const reports: LoopReport[] = [];
			for (const job of jobs) reports.push((await job.stop()).loop!);
			for (const [index, report] of reports.entries()) {
				if (report.bad > 0) context.evidence('firstBadCall', report.firstBad);
				assert.equal(report.bad, 0, `calls of loop ${index} with wrong registers, of ${report.done}`);
			}
			context.evidence(
				'calls',
				reports.map(({done}) => done),
			);
			return reports;
		},
	};
}

/** The verify program of a point found nothing wrong. */
export async function verified(context: CaseContext, cookie: number): Promise<number> {
	const {count, bad, firstBad} = await context.ask('counters', {cookie});
	if (bad > 0) context.evidence('firstBadAtHook', firstBad);
	assert.equal(bad, 0, 'runs of the program that saw a wrong register');
	return count;
}

/** Calls of the target so far, and that they go on: the proof that a change lay between calls. */
export async function callsNow(context: CaseContext): Promise<number> {
	return (await context.ask('counts', {})).begun[context.target as TargetName];
}

/** Readings of a count, one before the first change and one after each; during how many changes it went on. */
export function overlaps(counts: readonly number[]): number {
	return counts.filter((count, n) => n > 0 && count !== counts[n - 1]).length;
}

/**
 * Runs `stretch` with its number until `isShown`, or for the last allowed time. On a busy host a processor of the guest
 * may stand still for a whole stretch.
 */
export async function untilShown(isShown: () => boolean, stretch: (n: number) => Promise<unknown>): Promise<void> {
	for (let n = 0; n === 0 || (n < retryPolicy.stretchesPerRace && !isShown()); n++) await stretch(n);
}

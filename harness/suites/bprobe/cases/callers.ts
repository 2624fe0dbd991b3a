// SPDX-License-Identifier: GPL-2.0
import {retryPolicy} from '../../../engine/retry-policy.ts';
import type {CallResult, LoopReport, Registers, TargetName} from '../agent-protocol.ts';
import {assert} from '../assert.ts';
import type {CaseContext} from '../case.ts';
import {argumentRegisters, flagsOf, generalRegisters, hex, keptByC, type RegisterName} from './registers.ts';

/** Enough for six rounds on an idle host without acceleration. Races repeat it until their sides have overlapped. */
export const stretchMs = 350;

/** Starts loops that check every register after every call; the verify programs check them at the hook. */
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
				const first = report.firstBad ? `; first ${wordsOf(report.firstBad, target)}` : '';
				assert.equal(report.bad, 0, `loop ${index}: calls with wrong registers, out of ${report.done}${first}`);
			}
			context.evidence(
				'calls',
				reports.map(({done}) => done),
			);
			return reports;
		},
	};
}

/** Which call it was, and which checks of fixtures/check.c it failed. */
export function wordsOf(call: CallResult, target: TargetName): string {
	const {in: input, seen, ret, after, sp, stack, seenStack, pid, cpuAfter, beginNs} = call;
	const isC = target === 'c';
	const wrong = [
		...differences('seen by the function', {...input, sp: hex(BigInt(sp) - 8n)}, seen, [
			...(isC ? argumentRegisters : generalRegisters),
			'sp',
		]),
		...differences('found by the caller', {...(isC ? {...input, ax: ret.ax} : ret), sp}, after, [
			...(isC ? keptByC : generalRegisters),
			'sp',
		]),
		...stack.flatMap((word, n) =>
			word === seenStack[n] ? [] : [`argument ${n + 7} seen by the function is ${seenStack[n]}, should be ${word}`],
		),
		...(isC ? [] : differences('seen by the function', input, seen, ['flags'])),
		...(isC ? [] : differences('found by the caller', ret, after, ['flags'])),
	];
	return `that of task ${pid} on CPU ${cpuAfter} at ${beginNs} ns: ${wrong.join(', ') || 'its flags'}`;
}

function differences(
	by: string,
	expected: Registers,
	found: Registers,
	names: readonly RegisterName[],
): readonly string[] {
	const value = (from: Registers, name: RegisterName) => (name === 'flags' ? flagsOf(from) : hex(BigInt(from[name])));
	return names
		.filter(name => value(expected, name) !== value(found, name))
		.map(name => `${name} ${by} is ${value(found, name)}, should be ${value(expected, name)}`);
}

/** Asserts that the verify program saw no wrong register; resolves with the number of its runs. */
export async function verified(context: CaseContext, cookie: number): Promise<number> {
	const {count, bad, firstBad} = await context.ask('counters', {cookie});
	if (bad > 0) context.evidence('firstBadAtHook', firstBad);
	assert.equal(bad, 0, `runs of program ${cookie} that saw a wrong register, of ${count}`);
	return count;
}

/** The number of calls of the target so far. If it grows during a change, the change overlapped with calls. */
export async function callsNow(context: CaseContext): Promise<number> {
	return (await context.ask('counts', {})).begun[context.target as TargetName];
}

/** In how many changes the count grew. `counts` has one reading before the first change and one after each change. */
export function overlaps(counts: readonly number[]): number {
	return counts.filter((count, n) => n > 0 && count !== counts[n - 1]).length;
}

/**
 * Runs `stretch` with its number until `isShown`, at least once and at most `stretchesPerRace` times. On a busy host, a
 * vCPU may not run during a whole stretch.
 */
export async function untilShown(isShown: () => boolean, stretch: (n: number) => Promise<unknown>): Promise<void> {
	for (let n = 0; n === 0 || (n < retryPolicy.stretchesPerRace && !isShown()); n++) await stretch(n);
}

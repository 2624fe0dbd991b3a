// SPDX-License-Identifier: GPL-2.0
import type {ChurnReport, Point, TargetName} from '../agent-protocol.ts';
import {assert} from '../assert.ts';
import {type CaseContext, defineCase, type Feature} from '../case.ts';
import {targetSymbols} from '../context.ts';
import {startCallers, stretchMs, untilShown, verified} from './callers.ts';
import {fixtures, verifier} from './calls.ts';
import {framesInFlight} from './tasks.ts';

/** Asserts that no round failed; inconclusive if an emulated CPU executed stale code. */
function judgeChurn(context: CaseContext, report: ChurnReport): void {
	assert.deepEqual(report.errors, {}, 'errors of attach and close');
	assert.equal(report.lateRounds, 0, 'rounds whose program still ran after its close');
	// Only breakpoints can be stale: QEMU has so far handled the steps correctly in which ftrace patches a call.
	const mayBeStale = context.isEmulated && context.target === 'asm';
	const deaf = report.deafRounds + (mayBeStale ? 0 : report.staleRounds);
	assert.equal(deaf, 0, 'rounds whose program did not run although the target was called');
	assert.equal(report.misses, 0, 'misses');
	if (report.staleRounds > 0)
		context.inconclusive(`In ${report.staleRounds} rounds, the emulator executed calls without the breakpoint.`);
}

type Owner = {readonly point: Point; readonly by: 'close' | 'thread' | 'kill'};

/** All owners attach and close while the target is called, until enough changes overlapped with calls. */
async function storm(
	context: CaseContext,
	owners: readonly Owner[],
	{leastRounds}: {leastRounds: number},
): Promise<void> {
	const callers = await startCallers(context, {irq: true});
	const sums = owners.map(() => ({rounds: 0, changes: 0, overlapped: 0}));
	const isEnough = () => sums.every(({rounds, overlapped}) => rounds >= leastRounds && overlapped >= leastRounds);
	await untilShown(isEnough, async stretch => {
		const reports = await churn(context, owners);
		context.evidence(`churn${stretch}`, reports);
		for (const [index, report] of reports.entries()) {
			judgeChurn(context, report);
			for (const key of ['rounds', 'changes', 'overlapped'] as const) sums[index]![key] += report[key];
		}
	});
	const reports = await callers.stop();
	assert.ok(
		reports.every(({done}) => done > 100),
		`calls: ${reports.map(({done}) => done).join(', ')}`,
	);
	if (context.claims('device')) assert.equal(await framesInFlight(context), 0, 'frames in flight');
	if (!isEnough()) {
		const found = sums.map(({rounds, changes, overlapped}) => `${rounds} rounds, ${overlapped} of ${changes}`);
		context.inconclusive(
			`Each owner needs ${leastRounds} rounds, and calls during as many changes: ${found.join('; ')}.`,
		);
	}
}

/** One stretch in which each owner attaches and closes repeatedly. */
async function churn(context: CaseContext, owners: readonly Owner[]): Promise<readonly ChurnReport[]> {
	const address = await context.address(targetSymbols[context.target]);
	const jobs = [];
	for (const [index, {point, by}] of owners.entries()) {
		const program = await context.churned(verifier(point));
		const cookie = 100 + index;
		const target = context.target as TargetName;
		jobs.push({
			cookie,
			job: await context.start('startChurn', {...program, point, address, target, cookie, by, holdUs: 2000}),
		});
	}
	await context.during(stretchMs);
	const reports = [];
	for (const {job, cookie} of jobs) {
		reports.push((await job.stop()).churn!);
		await verified(context, cookie);
	}
	return reports;
}

type Storm = {
	readonly id: string;
	readonly needs: readonly Feature[];
	/** Those whose point the mechanism has. */
	readonly owners: readonly Owner[];
	readonly leastRounds: number;
};

const storms: readonly Storm[] = [
	{
		id: 'attach-detach-storm',
		needs: ['programs', 'registers'],
		owners: [
			{point: 'entry', by: 'close'},
			{point: 'return', by: 'close'},
		],
		leastRounds: 6,
	},
	{
		id: 'two-owners-one-function',
		needs: ['return', 'library'],
		owners: [
			{point: 'return', by: 'close'},
			{point: 'return', by: 'kill'},
		],
		leastRounds: 5,
	},
	{
		id: 'close-from-another-thread',
		needs: ['return', 'programs', 'registers'],
		owners: [{point: 'return', by: 'thread'}],
		leastRounds: 6,
	},
	{id: 'owner-killed', needs: ['return', 'library'], owners: [{point: 'return', by: 'kill'}], leastRounds: 5},
];

export const stormCases = storms.map(({id, needs, owners, leastRounds}) =>
	defineCase({
		id: `race/${id}`,
		needs,
		targets: fixtures,
		// Where kretprobes are events of tracefs, a round takes seconds on a busy host.
		deadlineMs: 40_000,
		run: context =>
			storm(
				context,
				owners.filter(({point}) => context.points.includes(point)),
				{leastRounds},
			),
	}),
);

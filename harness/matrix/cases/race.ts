import assert from 'node:assert/strict';
import type {ChurnReport, Hex, LoopReport, Point, TargetName} from '../../link/agent-protocol.ts';
import {type CaseContext, defineCase, type TargetKind} from '../case.ts';
import {targetSymbols} from '../context.ts';
import {onlyHits, pattern} from './registers.ts';
import {framesInFlight, waitUntilWaiting} from './tasks.ts';

const fixtures: readonly TargetKind[] = ['asm', 'asm-fentry', 'c'];
/** Long enough for a dozen rounds on an idle host without acceleration; storms take more of them where it is not. */
const stretchMs = 700;

/** Loops check every register of every call; the verify programs check them at the hook. */
async function startCallers(
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
async function verified(context: CaseContext, cookie: number): Promise<number> {
	const {count, bad, firstBad} = await context.ask('counters', {cookie});
	if (bad > 0) context.evidence('firstBadAtHook', firstBad);
	assert.equal(bad, 0, 'runs of the program that saw a wrong register');
	return count;
}

/** Nothing went wrong in any round. */
function judgeChurn(report: ChurnReport): void {
	assert.deepEqual(report.errors, {}, 'errors of attach and close');
	assert.equal(report.lateRounds, 0, 'rounds whose program still ran after its close');
	assert.equal(report.deafRounds, 0, 'rounds whose program did not run though the target was called');
	assert.equal(report.misses, 0, 'misses');
}

type Owner = {readonly point: Point; readonly by: 'close' | 'thread' | 'kill'};

/** Churns the target from several sides while it is called, until enough changes overlapped with calls. */
async function storm(
	context: CaseContext,
	owners: readonly Owner[],
	{leastRounds}: {leastRounds: number},
): Promise<void> {
	const callers = await startCallers(context, {irq: true});
	const sums = owners.map(() => ({rounds: 0, changes: 0, overlapped: 0}));
	const isEnough = () =>
		sums.every(({rounds, changes, overlapped}) => rounds >= leastRounds && overlapped * 2 >= changes);
	// One stretch is enough on an idle host.
	for (let stretch = 0; stretch < 5 && !isEnough(); stretch++) {
		const reports = await churn(context, owners);
		context.evidence(`churn${stretch}`, reports);
		for (const [index, report] of reports.entries()) {
			judgeChurn(report);
			for (const key of ['rounds', 'changes', 'overlapped'] as const) sums[index]![key] += report[key];
		}
	}
	const reports = await callers.stop();
	assert.ok(
		reports.every(({done}) => done > 100),
		`calls: ${reports.map(({done}) => done).join(', ')}`,
	);
	assert.equal(await framesInFlight(context), 0);
	if (!isEnough()) {
		const found = sums.map(({rounds, changes, overlapped}) => `${rounds} rounds, ${overlapped} of ${changes}`);
		context.inconclusive(
			`${leastRounds} rounds and calls during half of the changes are needed, by owner: ${found.join('; ')}.`,
		);
	}
}

/** One stretch in which each owner attaches and closes, again and again. */
async function churn(context: CaseContext, owners: readonly Owner[]): Promise<readonly ChurnReport[]> {
	const address = await context.address(targetSymbols[context.target]);
	const jobs = [];
	for (const [index, {point, by}] of owners.entries()) {
		const prog = await context.load(point === 'entry' ? 'verify_entry' : 'verify_return');
		const cookie = 100 + index;
		const target = context.target as TargetName;
		jobs.push({
			cookie,
			job: await context.start('startChurn', {prog, point, address, target, cookie, by, holdUs: 2000}),
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

/** Calls of the target so far, and that they go on: the proof that a change lay between calls. */
async function callsNow(context: CaseContext): Promise<number> {
	return (await context.ask('counts', {})).begun[context.target as TargetName];
}

export const raceCases = [
	defineCase({
		id: 'race/concurrent-callers',
		needs: ['entry', 'return'],
		targets: fixtures,
		deadlineMs: 15_000,
		async run(context) {
			const entry = await context.attach({point: 'entry', program: 'verify_entry'});
			const ret = await context.attach({point: 'return', program: 'verify_return'});
			const callers = await startCallers(context, {threads: 4});
			await context.during(stretchMs);
			const [report] = await callers.stop();
			const calls = report!.done;
			onlyHits(await entry.info(), calls);
			onlyHits(await ret.info(), calls);
			assert.equal(await verified(context, entry.cookie), calls);
			assert.equal(await verified(context, ret.cookie), calls);
			if (calls < 1000) context.inconclusive(`Only ${calls} calls; 1000 are needed.`);
		},
	}),
	defineCase({
		id: 'race/attach-while-called',
		needs: ['entry', 'return'],
		targets: fixtures,
		deadlineMs: 20_000,
		async run(context) {
			const callers = await startCallers(context, {irq: true});
			const counts = [await callsNow(context)];
			const probes = [];
			for (let n = 0; n < 10; n++) {
				const point = n % 2 === 0 ? 'entry' : 'return';
				probes.push(await context.attach({point, program: point === 'entry' ? 'verify_entry' : 'verify_return'}));
				counts.push(await callsNow(context));
			}
			for (const probe of probes) while ((await verified(context, probe.cookie)) === 0) context.signal.throwIfAborted();
			await callers.stop();
			for (const probe of probes) {
				const info = await probe.info();
				// While the loop above asks for counters, the agent is inside bpf(2), where the kernel runs no program.
				onlyHits({...info, misses: {...info.misses, bpfBusy: 0}}, await verified(context, probe.cookie));
			}
			context.evidence('callsAtEachAttach', counts);
			if (counts.some((count, n) => n > 0 && count === counts[n - 1]))
				context.inconclusive('An attach saw no call go by.');
		},
	}),
	defineCase({
		id: 'race/detach-while-called',
		needs: ['entry', 'return'],
		targets: fixtures,
		deadlineMs: 30_000,
		async run(context) {
			const probes = [];
			// The slow program is running on some CPU at nearly every close.
			for (let n = 0; n < 10; n++)
				probes.push(await context.attach({point: n % 2 === 0 ? 'entry' : 'return', program: 'slow'}));
			const callers = await startCallers(context);
			while ((await context.ask('counters', {cookie: probes.at(-1)!.cookie})).count === 0)
				context.signal.throwIfAborted();
			const counts = [await callsNow(context)];
			for (const probe of probes) {
				const closedNs = await probe.close();
				const {last, count} = await context.ask('counters', {cookie: probe.cookie});
				assert.ok(
					BigInt(last) <= BigInt(closedNs),
					`the program ended ${BigInt(last) - BigInt(closedNs)} ns after its close`,
				);
				counts.push(await callsNow(context));
				await context.during(5);
				assert.equal((await context.ask('counters', {cookie: probe.cookie})).count, count, 'runs after the close');
			}
			await callers.stop();
			context.evidence('callsAtEachClose', counts);
			if (counts.some((count, n) => n > 0 && count === counts[n - 1]))
				context.inconclusive('A close saw no call go by.');
		},
	}),
	defineCase({
		id: 'race/attach-detach-storm',
		needs: ['entry', 'return'],
		targets: fixtures,
		deadlineMs: 20_000,
		run: context =>
			storm(
				context,
				[
					{point: 'entry', by: 'close'},
					{point: 'return', by: 'close'},
				],
				{leastRounds: 4},
			),
	}),
	defineCase({
		id: 'race/two-owners-one-function',
		needs: ['entry', 'return'],
		targets: fixtures,
		deadlineMs: 20_000,
		run: context =>
			storm(
				context,
				[
					{point: 'return', by: 'close'},
					{point: 'return', by: 'kill'},
				],
				{leastRounds: 3},
			),
	}),
	defineCase({
		id: 'race/close-from-another-thread',
		needs: ['entry', 'return'],
		targets: fixtures,
		deadlineMs: 20_000,
		run: context => storm(context, [{point: 'return', by: 'thread'}], {leastRounds: 4}),
	}),
	defineCase({
		id: 'race/owner-killed',
		needs: ['entry', 'return'],
		targets: fixtures,
		deadlineMs: 20_000,
		run: context => storm(context, [{point: 'return', by: 'kill'}], {leastRounds: 3}),
	}),
	defineCase({
		id: 'race/module-reload-storm',
		needs: ['return', 'device'],
		targets: fixtures,
		deadlineMs: 40_000,
		async run(context) {
			const target = context.target as TargetName;
			const callers = await startCallers(context, {irq: true});
			const counts = [await callsNow(context)];
			for (let round = 0; round < 4; round++) {
				const probes = [
					await context.attach({point: 'entry', program: 'verify_entry'}),
					await context.attach({point: 'return', program: 'verify_return'}),
				];
				const {task} = await context.ask('callInTask', {target, action: 'wait', in: pattern(1), ret: pattern(2)});
				await waitUntilWaiting(context, 1);
				for (const probe of probes) {
					// The waiting task's call does not follow the loops' pattern, at its entry only.
					await probe.close();
				}
				await context.ask('rmmod', {module: 'bprobe'});
				await context.ask('release', {});
				const {result} = await context.ask('taskWait', {task, timeoutMs: 5000});
				assert.equal(result?.after.ax, pattern(2).ax, 'the call that was in flight returned');
				await context.ask('insmod', {module: 'bprobe'});
				counts.push(await callsNow(context));
			}
			await callers.stop();
			context.evidence('callsAtEachReload', counts);
			if (counts.some((count, n) => n > 0 && count === counts[n - 1]))
				context.inconclusive('A reload saw no call go by.');
		},
	}),
	defineCase({
		id: 'race/target-module-unloaded',
		needs: ['entry', 'return'],
		targets: fixtures,
		deadlineMs: 40_000,
		async run(context) {
			const symbol = targetSymbols[context.target];
			for (let round = 0; round < 3; round++) {
				const probe = await context.attach({point: round % 2 === 0 ? 'return' : 'entry'});
				await context.call({in: pattern(1), ret: pattern(2)});
				await assert.rejects(
					context.ask('rmmod', {module: 'fixtures'}),
					{errno: 'EAGAIN'},
					'a probe holds the module of its function',
				);
				const old: Hex = await context.address(symbol);
				const prog = await context.load('record');
				await probe.close();
				await context.ask('rmmod', {module: 'fixtures'});
				try {
					await assert.rejects(context.ask('attach', {prog, point: 'return', address: old}), /ENOENT|EADDRNOTAVAIL/);
				} finally {
					await context.ask('insmod', {module: 'fixtures'});
				}
				// A function now at the old address must not inherit the probe.
				const before = (await context.events()).length;
				await context.call({in: pattern(1), ret: pattern(2)});
				assert.equal((await context.events()).length, before, 'the program ran for a closed probe');
			}
		},
	}),
	defineCase({
		id: 'race/fork-exit-storm',
		needs: ['entry', 'return'],
		targets: fixtures,
		deadlineMs: 30_000,
		async run(context) {
			const doExit = await context.address('do_exit');
			// The last a task calls, when its parent may have freed it already.
			const doTaskDead = await context.address('do_task_dead');
			await context.attach({point: 'entry', program: 'verify_entry'});
			const ret = await context.attach({point: 'return', program: 'verify_return'});
			const exits = [
				await context.attach({point: 'entry', program: 'count', at: doExit}),
				await context.attach({point: 'return', program: 'count', at: doExit}),
				await context.attach({point: 'return', program: 'count', at: doTaskDead}),
			];
			const job = await context.start('startForks', {
				target: context.target as TargetName,
				threads: 2,
				calls: 20,
				kill: true,
			});
			await context.during(stretchMs);
			const {forks} = await job.stop();
			context.evidence('forks', forks);
			assert.equal(forks!.bad, 0, 'calls with wrong registers');
			await verified(context, ret.cookie);
			const ended = await exits[0]!.info();
			assert.ok(ended.hits >= forks!.forked, `${ended.hits} exits of ${forks!.forked} processes`);
			for (const neverReturns of exits.slice(1)) onlyHits(await neverReturns.info(), 0);
			const misses = Object.values((await ret.info()).misses).reduce((sum, count) => sum + count, 0);
			assert.equal(misses, 0);
			for (const probe of exits) await probe.close();
			// Neither returns: their frames go with the tasks.
			while ((await framesInFlight(context)) > 0) context.signal.throwIfAborted();
			if (forks!.forked < 20 || forks!.killed === 0)
				context.inconclusive(`${forks!.forked} forks, ${forks!.killed} killed.`);
		},
	}),
	defineCase({
		id: 'race/task-and-softirq',
		needs: ['entry', 'return'],
		targets: fixtures,
		deadlineMs: 20_000,
		async run(context) {
			const entry = await context.attach({point: 'entry', program: 'verify_entry'});
			const ret = await context.attach({point: 'return', program: 'verify_return'});
			const callers = await startCallers(context, {irq: true});
			await context.during(stretchMs);
			const reports = await callers.stop();
			const calls = reports.reduce((sum, {done}) => sum + done, 0);
			onlyHits(await entry.info(), calls);
			onlyHits(await ret.info(), calls);
			assert.equal(await verified(context, entry.cookie), calls);
			assert.equal(await verified(context, ret.cookie), calls);
			const overlap = reports.every(
				({firstNs, lastNs}) =>
					BigInt(firstNs) < BigInt(reports[0]!.lastNs) && BigInt(lastNs) > BigInt(reports[0]!.firstNs),
			);
			if (!overlap || reports.some(({done}) => done < 50))
				context.inconclusive(`Calls by context: ${reports.map(({done}) => done).join(', ')}.`);
		},
	}),
];

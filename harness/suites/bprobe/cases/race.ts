// SPDX-License-Identifier: GPL-2.0
import type {LoopReport, TargetName} from '../agent-protocol.ts';
import {assert} from '../assert.ts';
import {type CaseContext, defineCase, type Probe} from '../case.ts';
import {isBefore} from '../kernel-release.ts';
import {callsNow, overlaps, startCallers, stretchMs, untilShown, verified} from './callers.ts';
import {attachInTurn, fixtures, verifier} from './calls.ts';
import {onlyHits} from './registers.ts';
import {framesInFlight} from './tasks.ts';

/** Whether every loop overlapped with the first one. */
function atOnce(reports: readonly LoopReport[]): boolean {
	const [first] = reports;
	return reports.every(
		({firstNs, lastNs}) => BigInt(firstNs) < BigInt(first!.lastNs) && BigInt(lastNs) > BigInt(first!.firstNs),
	);
}

/** Closes ten probes one after the other; resolves with the number of calls before the first close and after each. */
async function detachWhileCalled(context: CaseContext): Promise<number[]> {
	// The slow program runs on some CPU at nearly every close.
	const probes = await attachInTurn(context, 10, () => 'slow');
	const callers = await startCallers(context);
	while ((await context.ask('counters', {cookie: probes.at(-1)!.cookie})).count === 0) context.signal.throwIfAborted();
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
	return counts;
}

/** Words of a call of compiled code that say nothing: registers that are no arguments, or that a function may change. */
const freeInC = [
	...['r15', 'r14', 'r13', 'r12', 'bp', 'bx', 'r11', 'r10', 'ax', 'flags'].map(name => `seen.${name}`),
	...['r11', 'r10', 'r9', 'r8', 'cx', 'dx', 'si', 'di'].map(name => `after.${name}`),
];

export const raceCases = [
	defineCase({
		id: 'race/loops-notice-every-register',
		needs: ['programs', 'registers'],
		targets: fixtures,
		deadlineMs: 5000,
		async run(context) {
			const target = context.target as TargetName;
			const {good, unnoticed} = await context.ask('checkLies', {target});
			assert.ok(good, 'a good call is taken for one');
			assert.deepEqual(unnoticed, target === 'c' ? freeInC : [], 'words that may be wrong');
			if (!context.claims('entry')) return;
			const probe = await context.attach({point: 'entry'});
			const loop = await context.start('startLoop', {target, context: 'task', threads: 1, seed: '0x3', calls: 20});
			while ((await probe.info()).hits < 20) context.signal.throwIfAborted();
			await loop.stop();
			const seen = (await context.events()).map(({regs}) => regs.di);
			assert.deepEqual([seen.length, new Set(seen).size], [20, 20], 'calls of a loop, and how many differ in di');
		},
	}),
	defineCase({
		id: 'race/concurrent-callers',
		needs: ['programs', 'registers'],
		targets: fixtures,
		deadlineMs: 15_000,
		async run(context) {
			const probes = await attachInTurn(context, context.points.length, verifier);
			let calls = 0;
			await untilShown(
				() => calls >= 1000,
				async () => {
					const callers = await startCallers(context, {threads: 4});
					await context.during(stretchMs);
					const [report] = await callers.stop();
					calls += report!.done;
				},
			);
			for (const probe of probes) {
				onlyHits(await probe.info(), calls);
				assert.equal(await verified(context, probe.cookie), calls, `runs of ${probe.what} for ${calls} calls`);
			}
			if (calls < 1000) context.inconclusive(`Only ${calls} calls; 1000 are needed.`);
		},
	}),
	defineCase({
		id: 'race/attach-while-called',
		needs: ['programs', 'registers'],
		targets: fixtures,
		deadlineMs: 20_000,
		async run(context) {
			const callers = await startCallers(context, {irq: true});
			const counts = [await callsNow(context)];
			const probes: Probe[] = [];
			await untilShown(
				() => overlaps(counts) >= 5,
				async () => {
					for (let n = 0; n < 10; n++) {
						const point = context.points[n % context.points.length]!;
						probes.push(await context.attach({point, program: verifier(point)}));
						counts.push(await callsNow(context));
					}
				},
			);
			for (const probe of probes) while ((await verified(context, probe.cookie)) === 0) context.signal.throwIfAborted();
			await callers.stop();
			for (const probe of probes) {
				const info = await probe.info();
				// The loop above reads counters with bpf(2), and the kernel runs no program inside bpf(2).
				const {bpfBusy} = info.misses;
				onlyHits(info, await verified(context, probe.cookie), bpfBusy === undefined ? {} : {bpfBusy});
			}
			context.evidence('callsAtEachAttach', counts);
			if (overlaps(counts) < 5) context.inconclusive('Calls must run during at least five attaches.');
		},
	}),
	defineCase({
		id: 'race/detach-while-called',
		needs: ['programs'],
		targets: fixtures,
		deadlineMs: 30_000,
		async run(context) {
			let overlapped = 0;
			await untilShown(
				() => overlapped >= 5,
				async round => {
					const counts = await detachWhileCalled(context);
					context.evidence(`callsAtEachClose${round}`, counts);
					overlapped += overlaps(counts);
				},
			);
			if (overlapped < 5) context.inconclusive(`Calls ran during only ${overlapped} closes; five are needed.`);
		},
	}),
	defineCase({
		id: 'race/fork-exit-storm',
		needs: ['entry', 'return', 'device'],
		targets: fixtures,
		deadlineMs: 30_000,
		async run(context) {
			const doExit = await context.address('do_exit');
			// The last function that a task calls. Its parent may have freed the task by then.
			const doTaskDead = await context.address('do_task_dead');
			await context.attach({point: 'entry', program: 'verify_entry'});
			const ret = await context.attach({point: 'return', program: 'verify_return'});
			const exits = [
				await context.attach({point: 'entry', program: 'count', at: doExit}),
				await context.attach({point: 'return', program: 'count', at: doExit}),
				await context.attach({point: 'return', program: 'count', at: doTaskDead}),
			];
			let forked = 0;
			let killed = 0;
			const isEnough = () => forked >= 20 && killed > 0;
			await untilShown(isEnough, async stretch => {
				const job = await context.start('startForks', {
					target: context.target as TargetName,
					threads: 2,
					calls: 20,
					kill: true,
				});
				await context.during(stretchMs);
				const forks = (await job.stop()).forks!;
				context.evidence(`forks${stretch}`, forks);
				assert.equal(forks.bad, 0, 'calls with wrong registers');
				forked += forks.forked;
				killed += forks.killed;
			});
			await verified(context, ret.cookie);
			const ended = await exits[0]!.info();
			assert.ok(ended.hits >= forked, `${ended.hits} exits for ${forked} processes`);
			for (const neverReturns of exits.slice(1)) onlyHits(await neverReturns.info(), 0);
			const misses = Object.values((await ret.info()).misses).reduce((sum, count) => sum + count, 0);
			assert.equal(misses, 0, 'misses of the return probe');
			for (const probe of exits) await probe.close();
			// Neither function returns, so the frames are freed with the tasks.
			while ((await framesInFlight(context)) > 0) context.signal.throwIfAborted();
			if (!isEnough()) context.inconclusive(`Only ${forked} forks, ${killed} of them killed; 20 and 1 are needed.`);
		},
	}),
	defineCase({
		id: 'race/task-and-softirq',
		needs: ['programs', 'registers'],
		targets: fixtures,
		deadlineMs: 20_000,
		async run(context) {
			const probes = await attachInTurn(context, context.points.length, verifier);
			let calls = 0;
			let isShown = false;
			await untilShown(
				() => isShown,
				async () => {
					const callers = await startCallers(context, {irq: true});
					await context.during(stretchMs);
					const reports = await callers.stop();
					calls += reports.reduce((sum, {done}) => sum + done, 0);
					isShown = reports.every(({done}) => done >= 50) && atOnce(reports);
				},
			);
			for (const probe of probes) {
				const info = await probe.info();
				// From 5.8 until rethook came in 5.18, a task that ends marks its CPU as busy with a kprobe for a moment, in which
				// interrupts may come (kprobe_flush_task). Their breakpoints are misses of the kernel, which bprobe has to count.
				const mayLose =
					context.target === 'asm' && context.claims('device') && !isBefore(context, 5, 8) && isBefore(context, 5, 18);
				const lost = mayLose ? info.misses.kprobe! : 0;
				assert.ok(lost < 5, `${lost} of ${calls} calls were missed by the kernel's kprobes`);
				onlyHits(info, calls - lost, {...(lost > 0 && {kprobe: lost})});
				assert.equal(await verified(context, probe.cookie), calls - lost, `runs of ${probe.what} for ${calls} calls`);
			}
			if (!isShown) context.inconclusive('Each context must make fifty calls in the same stretch of time.');
		},
	}),
];

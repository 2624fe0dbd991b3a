// SPDX-License-Identifier: GPL-2.0
import type {Hex, TargetName} from '../agent-protocol.ts';
import {assert} from '../assert.ts';
import {type CaseContext, defineCase} from '../case.ts';
import {targetSymbols} from '../context.ts';
import {callsNow, overlaps, startCallers, untilShown} from './callers.ts';
import {fixtures} from './calls.ts';
import {pattern} from './registers.ts';
import {waitUntilWaiting} from './tasks.ts';
import {tidily} from './tidily.ts';

/** More calls than needed, because on a busy host the times of their ends vary. */
const inFlight = 32;
/** Reloads during constant calls. Each takes seconds, because tasks that never sleep delay RCU grace periods. */
const reloads = 3;

const returned = (n: number) => pattern(2 + (n % 8));

/** Removes the module while calls wake up one after the other; resolves with the number that returned meanwhile. */
async function unloadWhileCallsReturn(context: CaseContext): Promise<number> {
	const target = context.target as TargetName;
	const probe = await context.attach({point: 'return', program: 'count'});
	const startMs = performance.now();
	const tasks: number[] = [];
	for (let n = 0; n < inFlight; n++) {
		// The calls should wake up after the last one has begun. The time until then is extrapolated from the first ones.
		const leftMs = Math.min(((performance.now() - startMs) / Math.max(n, 1)) * (inFlight - n), 1000);
		const arg = Math.round(leftMs) + 8 * n + 1;
		const call = {target, action: 'sleep', arg, in: pattern(1), ret: returned(n)} as const;
		tasks.push((await context.ask('callInTask', call)).task);
	}
	await probe.close();
	const now = async () => BigInt((await context.ask('counts', {})).nowNs);
	const beganNs = await now();
	await context.ask('rmmod', {module: 'bprobe'});
	const endedNs = await now();
	let meanwhile = 0;
	for (const [n, task] of tasks.entries()) {
		const {result} = await context.ask('taskWait', {task, timeoutMs: 5000});
		assert.equal(result?.after.ax, returned(n).ax, `call ${n} returned`);
		const at = BigInt(result.endNs);
		if (at > beganNs && at < endedNs) meanwhile++;
	}
	await context.ask('insmod', {module: 'bprobe'});
	return meanwhile;
}

/** bprobe, or the module of the probed function, is unloaded while there are calls. */
export const moduleRaceCases = [
	defineCase({
		id: 'race/module-reload-storm',
		needs: ['return', 'device'],
		targets: fixtures,
		deadlineMs: 40_000,
		async run(context) {
			const target = context.target as TargetName;
			const callers = await startCallers(context, {irq: true});
			const counts = [await callsNow(context)];
			const reload = async () => {
				const probes = [
					await context.attach({point: 'entry', program: 'verify_entry'}),
					await context.attach({point: 'return', program: 'verify_return'}),
				];
				const {task} = await context.ask('callInTask', {target, action: 'wait', in: pattern(1), ret: pattern(2)});
				await waitUntilWaiting(context, 1);
				for (const probe of probes) {
					// Counters are not checked: the entry of the waiting call does not have the registers of the loops.
					await probe.close();
				}
				await context.ask('rmmod', {module: 'bprobe'});
				await context.ask('release', {});
				const {result} = await context.ask('taskWait', {task, timeoutMs: 5000});
				assert.equal(result?.after.ax, pattern(2).ax, 'the call in flight returned');
				await context.ask('insmod', {module: 'bprobe'});
				counts.push(await callsNow(context));
			};
			await untilShown(() => overlaps(counts) >= reloads, reload);
			await callers.stop();
			context.evidence('callsAtEachReload', counts);
			if (overlaps(counts) < reloads) context.inconclusive(`Calls must run during at least ${reloads} reloads.`);
		},
	}),
	defineCase({
		id: 'race/target-module-unloaded',
		needs: ['entry', 'return', 'device'],
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
					'a probe keeps the module of its function loaded',
				);
				const old: Hex = await context.address(symbol);
				const prog = await context.load('record');
				await probe.close();
				await context.ask('rmmod', {module: 'fixtures'});
				await tidily(
					async () => {
						await assert.rejects(
							context.ask('attach', {prog, point: 'return', address: old}),
							/ENOENT|EADDRNOTAVAIL/,
							'an attach at the address of a function that is gone',
						);
					},
					async () => {
						await context.ask('insmod', {module: 'fixtures'});
					},
				);
				// A function that is now at the old address must not inherit the probe.
				const before = (await context.events()).length;
				await context.call({in: pattern(1), ret: pattern(2)});
				assert.equal((await context.events()).length, before, 'the program ran for a closed probe');
			}
		},
	}),
	defineCase({
		id: 'race/unload-while-calls-run',
		needs: ['return', 'device'],
		targets: fixtures,
		deadlineMs: 20_000,
		async run(context) {
			const target = context.target as TargetName;
			const probe = await context.attach({point: 'return', program: 'count'});
			const tasks: number[] = [];
			for (let n = 0; n < 3; n++)
				tasks.push((await context.ask('callInTask', {target, action: 'run', in: pattern(1), ret: returned(n)})).task);
			await waitUntilWaiting(context, tasks.length);
			await probe.close();
			// A task that is about to run may be inside another tracer, so its return address cannot be given back.
			const {stdout} = await context.exec(
				`{ rmmod bprobe; echo $? > /tmp/unloaded; } >/dev/null 2>&1 &
				while ! grep -q '^bprobe .* Unloading' /proc/modules && ! [ -e /tmp/unloaded ]; do sleep 0.01; done
				sleep 0.5; cat /proc/modules`,
			);
			assert.match(stdout, /^bprobe .* Unloading /m, 'the module waits for calls that run');
			await context.ask('release', {});
			for (const [n, task] of tasks.entries()) {
				const {result, signal} = await context.ask('taskWait', {task, timeoutMs: 5000});
				assert.equal(result?.after.ax, returned(n).ax, `how call ${n} ended: ${signal ?? 'it returned'}`);
			}
			const ended = 'while ! [ -s /tmp/unloaded ]; do sleep 0.01; done; cat /tmp/unloaded; rm /tmp/unloaded';
			assert.equal((await context.exec(ended)).stdout, '0\n', 'the exit status of rmmod');
			await context.ask('insmod', {module: 'bprobe'});
		},
	}),
	defineCase({
		id: 'race/unload-while-calls-return',
		needs: ['return', 'device'],
		targets: fixtures,
		deadlineMs: 40_000,
		async run(context) {
			const counts: number[] = [];
			const shown = () => counts.reduce((sum, count) => sum + count, 0);
			await untilShown(
				() => shown() >= 5,
				async () => counts.push(await unloadWhileCallsReturn(context)),
			);
			context.evidence('returnedDuringEachUnload', counts);
			if (shown() < 5) context.inconclusive(`Only ${shown()} calls returned during an unload; five are needed.`);
		},
	}),
];

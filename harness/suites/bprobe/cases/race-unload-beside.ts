// SPDX-License-Identifier: GPL-2.0
import type {TargetName} from '../agent-protocol.ts';
import {assert} from '../assert.ts';
import {defineCase} from '../case.ts';
import {targetSymbols} from '../context.ts';
import {callsNow, overlaps, startCallers, stretchMs, untilShown} from './callers.ts';
import {pattern} from './registers.ts';
import {framesInFlight, waitUntilWaiting} from './tasks.ts';
import {tidily} from './tidily.ts';
import {peers, unloadSoon} from './unload-beside.ts';

const reloads = 3;

/** Like return/unload-beside-…, with constant calls from tasks and interrupts. */
export const unloadBesideRaceCases = [
	defineCase({
		id: 'race/unload-beside-tracers',
		needs: ['return', 'device'],
		// If another tracer uses the same site, ftrace loses r11. The graph tracer keeps only the registers that C
		// requires.
		targets: ['c'],
		deadlineMs: 90_000,
		async run(context) {
			const target = context.target as TargetName;
			const callers = await startCallers(context, {irq: true});
			const here = peers.filter(({option}) => context.hasOption(option));
			const counts = [await callsNow(context)];
			const unload = async (n: number) => {
				await context.ask('rmmod', {module: 'bprobe'});
				let isLoaded = false;
				const remove = await here[n % here.length]!.add(context, targetSymbols[context.target]);
				await tidily(
					async () => {
						await context.ask('insmod', {module: 'bprobe'});
						isLoaded = true;
						const probe = await context.attach({point: 'return', program: 'count'});
						const {task} = await context.ask('callInTask', {target, action: 'wait', in: pattern(1), ret: pattern(2)});
						await waitUntilWaiting(context, 1);
						await context.during(stretchMs / 4);
						await probe.close();
						// The close released the calls that it could; the others keep the module loaded.
						await assert.rejects(
							context.ask('rmmod', {module: 'bprobe'}),
							{errno: 'EAGAIN'},
							'a call that another tracer will return keeps the module loaded',
						);
						await context.ask('release', {});
						const {result} = await context.ask('taskWait', {task, timeoutMs: 5000});
						assert.equal(result?.after.ax, pattern(2).ax, 'the call in flight returned');
						await unloadSoon(context);
						isLoaded = false;
					},
					async () => {
						await remove();
						if (!isLoaded) await context.ask('insmod', {module: 'bprobe'});
					},
				);
				counts.push(await callsNow(context));
			};
			await untilShown(() => overlaps(counts) >= reloads, unload);
			await callers.stop();
			assert.equal(await framesInFlight(context), 0, 'frames in flight');
			context.evidence('callsAtEachReload', counts);
			if (overlaps(counts) < reloads) context.inconclusive(`Calls must run during at least ${reloads} reloads.`);
		},
	}),
];

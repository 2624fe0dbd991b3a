import assert from 'node:assert/strict';
import {defineCase} from '../../../engine/case.ts';
import {targetSymbols} from '../../../engine/context.ts';
import type {TargetName} from '../../../link/agent-protocol.ts';
import {callsNow, overlaps, startCallers, stretchMs, untilShown} from './callers.ts';
import {inTracefs} from './calls.ts';
import {pattern} from './registers.ts';
import {framesInFlight, waitUntilWaiting} from './tasks.ts';
import {peers, unloadSoon} from './unload-beside.ts';

const reloads = 3;

/** The same as return/unload-beside-…, while calls go by on all sides, from interrupts, too. */
export const unloadBesideRaceCases = [
	defineCase({
		id: 'race/unload-beside-tracers',
		needs: ['return', 'device'],
		// Beside another user of the site ftrace loses r11, and the graph tracer keeps what C asks for.
		targets: ['c'],
		deadlineMs: 90_000,
		async run(context) {
			const target = context.target as TargetName;
			const callers = await startCallers(context, {irq: true});
			const here = peers.filter(({option}) => context.hasOption(option));
			const counts = [await callsNow(context)];
			const unload = async (n: number) => {
				const {add, remove} = here[n % here.length]!;
				await context.ask('rmmod', {module: 'bprobe'});
				let isLoaded = false;
				await inTracefs(context, add(targetSymbols[context.target]));
				try {
					await context.ask('insmod', {module: 'bprobe'});
					isLoaded = true;
					const probe = await context.attach({point: 'return', program: 'count'});
					const {task} = await context.ask('callInTask', {target, action: 'wait', in: pattern(1), ret: pattern(2)});
					await waitUntilWaiting(context, 1);
					await context.during(stretchMs / 4);
					await probe.close();
					// The close has let go of whom it could, and refuses an unload for the others, or leaves them to it.
					await assert.rejects(context.ask('rmmod', {module: 'bprobe'}), {errno: 'EAGAIN'});
					await context.ask('release', {});
					const {result} = await context.ask('taskWait', {task, timeoutMs: 5000});
					assert.equal(result?.after.ax, pattern(2).ax, 'the call that was in flight returned');
					await unloadSoon(context);
					isLoaded = false;
				} finally {
					await inTracefs(context, remove);
					if (!isLoaded) await context.ask('insmod', {module: 'bprobe'});
				}
				counts.push(await callsNow(context));
			};
			await untilShown(() => overlaps(counts) >= reloads, unload);
			await callers.stop();
			assert.equal(await framesInFlight(context), 0);
			context.evidence('callsAtEachReload', counts);
			if (overlaps(counts) < reloads) context.inconclusive(`Calls must go by during ${reloads} reloads.`);
		},
	}),
];

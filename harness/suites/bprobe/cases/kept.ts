// SPDX-License-Identifier: GPL-2.0
import {assert} from '../assert.ts';
import {type CaseContext, defineCase} from '../case.ts';
import {input, output} from './calls.ts';
import {waitUntilWaiting} from './tasks.ts';
import {tidily} from './tidily.ts';
import {peers, unloadSoon, unloads} from './unload-beside.ts';

const [kretprobe] = peers;

/**
 * A call of fx_c with a kretprobe and a return probe, and meanwhile a call that never sleeps. True if the kretprobe held
 * the first one after the probes were closed: then bprobe keeps itself loaded. Else the second call is not made.
 */
async function keepsItself(context: CaseContext, comes: 'ours' | 'peer'): Promise<boolean> {
	await context.ask('rmmod', {module: 'bprobe'});
	let isLoaded = false;
	let remove: (() => Promise<unknown>) | undefined;
	const attach = async (symbol: string) =>
		context.attach({point: 'return', program: 'count', at: await context.address(symbol)});
	const call = {action: 'wait', in: input, ret: output} as const;
	return tidily(
		async () => {
			if (comes === 'peer') remove = await kretprobe!.add(context, 'fx_c');
			await context.ask('insmod', {module: 'bprobe'});
			isLoaded = true;
			const trial = await attach('fx_c');
			if (comes === 'ours') remove = await kretprobe!.add(context, 'fx_c');
			const first = await context.ask('callInTask', {...call, target: 'c'});
			await waitUntilWaiting(context, 1);
			await trial.close();
			isLoaded = !(await unloads(context));
			if (!isLoaded) {
				await context.ask('release', {});
				await context.ask('taskWait', {task: first.task, timeoutMs: 5000});
				return false;
			}
			// Kept for the first call, the module goes on to work.
			const runs = await attach('fx_asm');
			const running = await context.ask('callInTask', {...call, target: 'asm', action: 'run'});
			await waitUntilWaiting(context, 2);
			await runs.close();
			await context.ask('taskKill', {task: first.task, signal: 'KILL'});
			await context.ask('taskWait', {task: first.task, timeoutMs: 5000});
			// The module looks whether it is still needed, and cannot tell while a call runs.
			await context.during(3000);
			await context.ask('release', {});
			const {result} = await context.ask('taskWait', {task: running.task, timeoutMs: 5000});
			assert.equal(result?.after.ax, output.ax, 'the return value of the call that ran');
			await unloadSoon(context);
			isLoaded = false;
			return true;
		},
		async () => {
			await remove?.();
			if (!isLoaded) await context.ask('insmod', {module: 'bprobe'});
		},
	);
}

/** The module keeps itself loaded for a call that another tracer will return. */
export const keptCases = [
	defineCase({
		id: 'return/kept-while-another-call-runs',
		needs: ['return', 'device'],
		missing: kernel => (kernel.hasOption('CONFIG_KPROBE_EVENTS') ? undefined : 'This kernel has no kprobe events.'),
		deadlineMs: 30_000,
		async run(context) {
			if (!(await keepsItself(context, 'ours')) && !(await keepsItself(context, 'peer')))
				context.inconclusive('In no order did the kretprobe hook the call after bprobe.');
		},
	}),
];

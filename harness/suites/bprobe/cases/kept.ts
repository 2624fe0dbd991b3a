// SPDX-License-Identifier: GPL-2.0
import {assert} from '../assert.ts';
import {type CaseContext, defineCase} from '../case.ts';
import {input, output} from './calls.ts';
import {waitUntilWaiting} from './tasks.ts';
import {tidily} from './tidily.ts';
import {missing, type Peer, peers, unloadSoon, unloads} from './unload-beside.ts';

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

/** Whether bprobe stays for a call of fx_c that a peer will return, or may, and that sleeps or runs meanwhile. */
async function staysFor(
	context: CaseContext,
	peer: Peer,
	comes: 'ours' | 'peer',
	action: 'wait' | 'run',
): Promise<boolean> {
	let isLoaded = true;
	let remove: (() => Promise<unknown>) | undefined;
	return tidily(
		async () => {
			if (comes === 'peer') {
				await context.ask('rmmod', {module: 'bprobe'});
				isLoaded = false;
				remove = await peer.add(context, 'fx_c');
				await context.ask('insmod', {module: 'bprobe'});
				isLoaded = true;
			}
			const probe = await context.attach({point: 'return', program: 'count', at: await context.address('fx_c')});
			if (comes === 'ours') remove = await peer.add(context, 'fx_c');
			const {task} = await context.ask('callInTask', {action, in: input, ret: output, target: 'c'});
			await waitUntilWaiting(context, 1);
			await probe.close();
			isLoaded = !(await unloads(context));
			const stays = isLoaded;
			await context.ask('release', {});
			const {result} = await context.ask('taskWait', {task, timeoutMs: 5000});
			assert.equal(result?.after.ax, output.ax, 'the return value of the call');
			if (isLoaded) await unloadSoon(context);
			isLoaded = false;
			return stays;
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
		id: 'return/unload-waits-for-a-running-call',
		needs: ['return', 'device'],
		deadlineMs: 20_000,
		async run(context) {
			const probe = await context.attach({point: 'return', program: 'count', at: await context.address('fx_c')});
			const {task, pid} = await context.ask('callInTask', {action: 'run', in: input, ret: output, target: 'c'});
			await waitUntilWaiting(context, 1);
			await probe.close();
			// Nobody else holds the return of the call: the module is not in use, but waits for the task to sleep or to leave.
			const [stays] = await Promise.all([
				unloads(context).then(isUnloaded => !isUnloaded),
				context.exec(`sleep 0.2; kill -KILL ${pid}`),
			]);
			assert.ok(!stays, 'the module is in use');
			await context.ask('insmod', {module: 'bprobe'});
			assert.equal((await context.ask('taskWait', {task, timeoutMs: 5000})).signal, 'KILL', 'how the task ended');
		},
	}),
	...peers.map(peer =>
		defineCase({
			id: `return/kept-for-a-running-call-beside-${peer.name}`,
			needs: ['return', 'device'],
			missing: kernel => missing(peer, kernel),
			deadlineMs: 30_000,
			async run(context) {
				for (const comes of ['ours', 'peer'] as const) {
					// Who holds the return of a call that sleeps is certain: bprobe stays, or goes at once.
					if (!(await staysFor(context, peer, comes, 'wait'))) continue;
					assert.ok(await staysFor(context, peer, comes, 'run'), `stays for a call that runs, ${comes} first`);
					return;
				}
				context.inconclusive(`In no order did ${peer.name} hook the call after bprobe.`);
			},
		}),
	),
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

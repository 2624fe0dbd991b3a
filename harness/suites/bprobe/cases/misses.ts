import assert from 'node:assert/strict';
import {type CaseContext, defineCase, type Probe} from '../../../engine/case.ts';
import type {Hex} from '../../../link/agent-protocol.ts';
import {startCallers} from './callers.ts';
import {bypassed, fixtures, input, output} from './calls.ts';
import {isBefore} from './kernel-release.ts';
import {onlyHits} from './registers.ts';
import {framesInFlight, waitUntilWaiting} from './tasks.ts';

const points = ['entry', 'return'] as const;

/** Both points of the first of these functions that this kernel has and lets be probed. */
async function attachToOneOf(context: CaseContext, names: readonly string[], program: 'count' | 'record') {
	const {addresses} = await context.ask('symbols', {names});
	for (const name of names) {
		const at = addresses[name]?.[0];
		if (at === undefined) continue;
		try {
			const probes: Probe[] = [];
			for (const point of points) probes.push(await context.attach({point, program, at}));
			context.evidence('function', name);
			return probes;
		} catch (error) {
			if (!/EOPNOTSUPP/.test(String(error))) throw error;
		}
	}
	return undefined;
}

/** Every reason for which a program does not run, built on purpose: each miss is counted, and as what it is. */
export const missCases = [
	defineCase({
		id: 'miss/recursion',
		needs: ['entry', 'return'],
		targets: fixtures,
		deadlineMs: 5000,
		async run(context) {
			// What the outer program calls is probed itself.
			const inner = await attachToOneOf(context, ['htab_map_update_elem'], 'count');
			assert.ok(inner, 'no function is found that a program calls');
			const outer = [];
			for (const point of points) outer.push(await context.attach({point, program: 'touch_map'}));
			for (let n = 0; n < 10; n++) {
				const result = await context.call({in: input, ret: output});
				assert.equal(result.after.ax, output.ax);
			}
			for (const probe of outer) onlyHits(await probe.info(), 10);
			for (const probe of inner) onlyHits(await probe.info(), 0, {recursion: 20});
			assert.equal(await framesInFlight(context), 0);
		},
	}),
	defineCase({
		id: 'miss/bpf-busy',
		needs: ['entry', 'return'],
		deadlineMs: 5000,
		async run(context) {
			const probes = await attachToOneOf(context, ['array_map_update_elem'], 'count');
			assert.ok(probes, 'no function is found that bpf(2) calls');
			// It empties 1024 elements, each by a bpf(2) of its own.
			await context.ask('reset', {});
			for (const probe of probes) onlyHits(await probe.info(), 0, {bpfBusy: 1024});
		},
	}),
	defineCase({
		id: 'miss/nmi',
		needs: ['entry'],
		deadlineMs: 10_000,
		async run(context) {
			const probes = await attachToOneOf(context, ['vprintk_func', 'vprintk'], 'record');
			assert.ok(probes, 'no function is found that is called in an NMI');
			// The CPU that is asked interrupts all others by an NMI, and each prints where it is.
			const callers = await startCallers(context);
			await context.exec('echo l > /proc/sysrq-trigger');
			await callers.stop();
			const {misses} = await probes[0]!.info();
			const cpus = new Set((await context.events()).map(({cpu}) => cpu));
			context.evidence('nmi', {misses, cpus: [...cpus]});
			// Before 5.8 the kernel runs no programs in an NMI.
			if (isBefore(context, 5, 8)) assert.ok(misses.nmi > 0, 'counted as missed');
			else assert.equal(cpus.size, 2, 'the program ran on the CPU that was interrupted, too');
		},
	}),
	defineCase({
		id: 'miss/no-rcu',
		needs: ['entry', 'return'],
		deadlineMs: 10_000,
		async run(context) {
			// An idle CPU is out of RCU's sight. Since 6.3 all that is called there is noinstr.
			const probes = await attachToOneOf(context, ['default_idle', 'mwait_idle', 'arch_cpu_idle'], 'count');
			if (!probes) return context.skip('this kernel lets nothing be probed that runs out of the sight of RCU');
			for (const probe of probes) {
				for (;;) {
					const {hits, misses} = await probe.info();
					assert.equal(hits, 0, 'no program may run there');
					if (misses.noRcu > 10) break;
					context.signal.throwIfAborted();
				}
			}
			assert.equal(await framesInFlight(context), 0);
		},
	}),
	defineCase({
		id: 'miss/no-frame',
		needs: ['return', 'device'],
		targets: ['asm-fentry'],
		deadlineMs: 20_000,
		async run(context) {
			await context.ask('rmmod', {module: 'bprobe'});
			await context.ask('insmod', {module: 'bprobe', parameters: 'frames=64'});
			const probes: Probe[] = [];
			const attach = async (at?: Hex) => {
				probes.push(await context.attach({point: 'return', program: 'count', ...(at !== undefined && {at})}));
				return probes.at(-1)!;
			};
			try {
				const probe = await attach();
				const tasks = [];
				for (let n = 0; n < 70; n++)
					tasks.push(await context.ask('callInTask', {target: 'asm-fentry', action: 'wait', in: input, ret: output}));
				await waitUntilWaiting(context, 70);
				await context.ask('release', {});
				for (const {task} of tasks) {
					const {result} = await context.ask('taskWait', {task, timeoutMs: 5000});
					assert.equal(result?.after.ax, output.ax, 'with or without a frame the call returns');
				}
				const {hits, misses} = await probe.info();
				assert.equal(hits + misses.noFrame, 70);
				// Each CPU keeps some of the frames that were used on it for itself.
				assert.ok(hits <= 64, `${hits} calls at once had one of 64 frames`);

				const outer = await attach(await context.address('fx_chain_2'));
				for (let n = 0; n < 200; n++) await context.call(bypassed);
				onlyHits(await outer.info(), 200);
				assert.deepEqual((await probe.info()).misses, misses, 'frames of calls without a return come back');
			} finally {
				for (const probe of probes) await probe.close();
				await context.ask('rmmod', {module: 'bprobe'});
				await context.ask('insmod', {module: 'bprobe'});
			}
		},
	}),
];

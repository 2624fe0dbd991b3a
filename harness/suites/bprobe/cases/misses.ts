// SPDX-License-Identifier: GPL-2.0
import {assert} from '../assert.ts';
import {type CaseContext, defineCase, type Probe} from '../case.ts';
import {isBefore} from '../kernel-release.ts';
import {startCallers} from './callers.ts';
import {fixtures, input, output} from './calls.ts';
import {onlyHits} from './registers.ts';
import {framesInFlight} from './tasks.ts';
import {tidily} from './tidily.ts';

/** Attaches to the points of the mechanism at the first of these functions that exists in this kernel and can be probed. */
export async function attachToOneOf(
	context: CaseContext,
	names: readonly string[],
	program: 'count' | 'record' | 'touch_map',
): Promise<Probe[] | undefined> {
	const {addresses} = await context.ask('symbols', {names});
	for (const name of names) {
		const at = addresses[name]?.[0];
		if (at === undefined) continue;
		try {
			const probes: Probe[] = [];
			for (const point of context.points) probes.push(await context.attach({point, program, at}));
			context.evidence('function', name);
			return probes;
		} catch (error) {
			if (!/EOPNOTSUPP/.test(String(error))) throw error;
		}
	}
	return undefined;
}

/** Provokes each reason for which a program does not run. Every miss must be counted under its reason. */
export const missCases = [
	defineCase({
		id: 'miss/recursion',
		needs: ['programs', 'misses'],
		targets: fixtures,
		deadlineMs: 5000,
		async run(context) {
			// The outer program calls a function whose own program calls it, too, if it runs at all.
			const inner = await attachToOneOf(context, ['htab_map_update_elem'], 'touch_map');
			assert.ok(inner, 'none of the functions called by a program can be probed');
			// Each program of a point counts its misses.
			if (context.claims('device')) inner.push(...(await attachToOneOf(context, ['htab_map_update_elem'], 'count'))!);
			const outer = [];
			for (const point of context.points) outer.push(await context.attach({point, program: 'touch_map'}));
			for (let n = 0; n < 10; n++) {
				const result = await context.call({in: input, ret: output});
				assert.equal(result.after.ax, output.ax, 'the return value of the call');
			}
			for (const probe of outer) onlyHits(await probe.info(), 10);
			if (context.claims('device')) {
				for (const probe of inner) onlyHits(await probe.info(), 0, {recursion: 20});
				assert.equal(await framesInFlight(context), 0, 'frames in flight');
			} else {
				for (const probe of inner) {
					const {misses} = await probe.info();
					context.evidence('misses', misses);
					const missed = Object.values(misses).reduce((sum, count) => sum + count, 0);
					assert.equal(missed, 10 * outer.length, 'of the calls by each run of a program, one is a miss');
				}
			}
		},
	}),
	defineCase({
		id: 'miss/bpf-busy',
		needs: ['entry', 'return', 'device'],
		deadlineMs: 5000,
		async run(context) {
			const probes = await attachToOneOf(context, ['array_map_update_elem'], 'count');
			assert.ok(probes, 'none of the functions called by bpf(2) can be probed');
			// `reset` clears 1024 map elements with one bpf(2) each.
			await context.ask('reset', {});
			for (const probe of probes) onlyHits(await probe.info(), 0, {bpfBusy: 1024});
			// The CPU is not busy for ever.
			const later = await context.attach({point: 'entry', program: 'count', at: await context.address('fx_c')});
			for (let n = 0; n < 10; n++) await context.call({target: 'c'});
			onlyHits(await later.info(), 10);
		},
	}),
	defineCase({
		id: 'miss/nmi',
		needs: ['entry', 'device'],
		deadlineMs: 10_000,
		async run(context) {
			const probes = await attachToOneOf(context, ['vprintk_func', 'vprintk'], 'record');
			assert.ok(probes, 'none of the functions called in an NMI can be probed');
			// The CPU that handles this sends an NMI to all others, and each prints its backtrace.
			const callers = await startCallers(context);
			await context.exec('echo l > /proc/sysrq-trigger');
			await callers.stop();
			const {misses} = await context.ask('info', {probe: probes[0]!.handle});
			const cpus = new Set((await context.events()).map(({cpu}) => cpu));
			context.evidence('nmi', {misses, cpus: [...cpus]});
			// Before 5.8, the kernel runs no programs in an NMI.
			if (isBefore(context, 5, 8)) assert.ok(misses.nmi > 0, 'misses in an NMI are counted');
			else assert.equal(cpus.size, 2, 'the program ran on the interrupted CPU, too');
		},
	}),
	defineCase({
		id: 'return/nmi-during-calls',
		needs: ['return', 'device'],
		targets: ['c'],
		deadlineMs: 40_000,
		async run(context) {
			// An NMI has a stack of its own: what it calls must leave the frames of the interrupted task alone.
			const probe = await context.attach({point: 'return', program: 'read_all'});
			const inner = await attachToOneOf(context, ['vprintk_func', 'vprintk'], 'count');
			assert.ok(inner, 'none of the functions called in an NMI can be probed');
			const missed = async () => (await context.ask('info', {probe: inner[0]!.handle})).misses;
			const callers = await startCallers(context);
			// Until one comes while a handler runs. Kernels that refuse programs in an NMI count every one.
			for (let n = 0; n < 100 && (n < 8 || (await missed()).nmi === 0); n++)
				await context.exec('echo l > /proc/sysrq-trigger');
			const [report] = await callers.stop();
			onlyHits(await probe.info(), report!.done);
			const misses = await missed();
			context.evidence('misses', misses);
			assert.equal(misses.recursion, 0, 'misses in an NMI that are counted as recursion');
			if (misses.nmi === 0) context.inconclusive('No NMI came while a handler ran.');
			assert.equal(await framesInFlight(context), 0, 'frames in flight');
		},
	}),
	defineCase({
		id: 'miss/no-rcu',
		needs: ['entry', 'return', 'device'],
		missing: kernel =>
			isBefore(kernel, 6, 3) ? undefined : 'All that runs while RCU is not watching is noinstr since Linux 6.3.',
		deadlineMs: 10_000,
		async run(context) {
			// RCU does not watch an idle CPU.
			const idle = ['default_idle', 'mwait_idle', 'arch_cpu_idle'];
			const probes = await attachToOneOf(context, idle, 'count');
			if (!probes) return context.skip('This kernel has no function to probe that runs while RCU is not watching.');
			for (const probe of probes) {
				for (;;) {
					const {hits, misses} = await context.ask('info', {probe: probe.handle});
					assert.equal(hits, 0, 'no program may run there');
					if (misses.noRcu > 10) break;
					context.signal.throwIfAborted();
				}
			}
			const missed = async (handle: number) => (await context.ask('info', {probe: handle})).misses.noRcu;
			const before = await missed(probes[0]!.handle);
			const [later] = (await attachToOneOf(context, idle, 'count'))!;
			const ofLater = await missed(later!.handle);
			const since = (await missed(probes[0]!.handle)) - before;
			assert.ok(ofLater <= since, `a later probe counts ${ofLater} misses, of which ${since} came after its attach`);
			// Older kernels have a function that RCU watches at its entry only.
			for (const probe of (await attachToOneOf(context, ['rcu_idle_enter'], 'count')) ?? []) {
				if (!probe.what.includes('return')) continue;
				while ((await context.ask('info', {probe: probe.handle})).misses.noRcu <= 10) context.signal.throwIfAborted();
			}
			assert.equal(await framesInFlight(context), 0, 'frames in flight');
		},
	}),
	defineCase({
		id: 'miss/kprobe-busy',
		needs: ['entry', 'return', 'device'],
		deadlineMs: 20_000,
		async run(context) {
			const [outer, inner] = [await context.address('fx_bare'), await context.address('fx_plain_00')];
			const probes = await Promise.all(
				context.points.map(point => context.attach({point, program: 'count', at: inner})),
			);
			const callOuter = async (times: number) => {
				for (let n = 0; n < times; n++) await context.call({target: 'address', address: outer});
			};
			await context.call({target: 'address', address: inner});
			await context.ask('nest', {on: true});
			await tidily(
				async () => {
					await callOuter(10);
					for (const probe of probes) onlyHits(await probe.info(), 1, {kprobe: 10});
					const later = await context.attach({point: 'entry', program: 'count', at: inner});
					await callOuter(3);
					onlyHits(await later.info(), 0, {kprobe: 3});
				},
				() => context.ask('nest', {on: false}),
			);
			await callOuter(1);
			await context.call({target: 'address', address: inner});
			for (const probe of probes) onlyHits(await probe.info(), 2, {kprobe: 13});
			assert.equal(await framesInFlight(context), 0, 'frames in flight');
		},
	}),
];

// SPDX-License-Identifier: GPL-2.0
import {assert} from '../assert.ts';
import {defineCase} from '../case.ts';
import {targetSymbols} from '../context.ts';
import {everywhere, input, output, stack} from './calls.ts';
import {onlyHits} from './registers.ts';
import {tidily} from './tidily.ts';

/** Probes with BPROBE_NOT_IN_INTERRUPT. */
export const notInInterruptCases = [
	defineCase({
		id: 'entry/not-in-interrupt',
		needs: ['entry', 'return', 'device'],
		targets: everywhere,
		deadlineMs: 10_000,
		async run(context) {
			const prog = await context.load('record');
			const address = await context.address(targetSymbols[context.target]);
			for (const point of context.points) {
				await context.ask('reset', {});
				// Before it and behind it runs a program that takes all calls.
				const others = [await context.attach({point, program: 'count'})];
				const {probe} = await context.ask('attach', {prog, point, address, notInInterrupt: true});
				others.push(await context.attach({point, program: 'count'}));
				await tidily(
					async () => {
						for (const [irq, runs] of [
							['task', 1],
							['softirq', 1],
							['hardirq', 1],
							['kthread', 2],
							['bhOff', 3],
						] as const) {
							const flags = irq === 'hardirq' ? '0x0' : input.flags;
							await context.call({context: irq, in: {...input, flags}, ret: {...output, flags}, stack});
							const ran = (await context.events()).length;
							assert.equal(ran, runs, `runs of the program at ${point} after the call in ${irq}`);
						}
						onlyHits({...(await context.ask('info', {probe})), of: `the probe at ${point}`}, 3);
						for (const other of others) onlyHits(await other.info(), 5);
					},
					() => context.ask('close', {probe}),
				);
			}
		},
	}),
	defineCase({
		id: 'entry/not-in-interrupt-by-breakpoint',
		needs: ['entry', 'return', 'device'],
		missing: kernel =>
			kernel.hasOption('CONFIG_OPTPROBES') ? undefined : 'This kernel keeps the breakpoints of kprobes.',
		deadlineMs: 15_000,
		async run(context) {
			const prog = await context.load('count');
			const address = await context.address('fx_asm');
			const probes: number[] = [];
			for (const point of context.points)
				probes.push((await context.ask('attach', {prog, point, address, notInInterrupt: true})).probe);
			await tidily(
				async () => {
					// The kernel replaces the breakpoint of a kprobe by a jump a moment later, if it may: then that of a newer one.
					await context.ask('nest', {on: true});
					await context.exec('mount -t debugfs none /sys/kernel/debug');
					while ((await context.exec(`grep -q 'fx_bare.*OPTIMIZED' /sys/kernel/debug/kprobes/list`)).code !== 0)
						context.signal.throwIfAborted();
					await context.call({target: 'asm', in: input, ret: output});
					for (const probe of probes) onlyHits({...(await context.ask('info', {probe})), of: `probe ${probe}`}, 1);
				},
				async () => {
					for (const probe of probes) await context.ask('close', {probe});
					await context.ask('nest', {on: false});
				},
			);
		},
	}),
	defineCase({
		id: 'entry/not-in-interrupt-of-a-list',
		needs: ['entry', 'return', 'device'],
		deadlineMs: 10_000,
		async run(context) {
			const prog = await context.load('count');
			const targets = ['asm', 'asm-fentry', 'c'] as const;
			const addresses = await Promise.all(targets.map(target => context.address(targetSymbols[target])));
			for (const point of context.points) {
				const {probe} = await context.ask('attachList', {prog, point, addresses, notInInterrupt: true});
				assert.ok(probe !== undefined, 'the functions can be attached to');
				for (const target of targets) {
					await context.call({target, in: input, ret: output});
					await context.call({target, context: 'softirq', in: input, ret: output});
				}
				const {counts} = await context.ask('infoList', {probe});
				assert.deepEqual(
					counts.map(([hits, misses]) => [hits, misses]),
					[
						[1, 0],
						[1, 0],
						[1, 0],
					],
					`hits and misses of each function, called by a task and by a softirq, at ${point}`,
				);
				await context.ask('close', {probe});
			}
		},
	}),
];

// SPDX-License-Identifier: GPL-2.0
import {assert} from '../assert.ts';
import {defineCase} from '../case.ts';
import {isBefore} from '../kernel-release.ts';
import {checkPlace, everywhere, fixtures, input, output, stack} from './calls.ts';
import {attachToOneOf} from './misses.ts';
import {
	argumentRegisters,
	flagBits,
	generalRegisters,
	hex,
	onlyHits,
	sameForCaller,
	sameRegisters,
} from './registers.ts';
import {tidily} from './tidily.ts';

/** The functions and contexts in which an entry can be hooked. */
export const entryHookCases = [
	defineCase({
		id: 'entry/asm-without-fentry',
		needs: ['entry', 'device'],
		targets: ['asm'],
		deadlineMs: 15_000,
		async run(context) {
			const unprobed = await context.call({in: input, ret: output, stack});
			const probe = await context.attach({point: 'entry'});
			const check = async () => {
				const result = await context.call({in: {...input, flags: hex(flagBits.if | flagBits.cf)}, ret: output, stack});
				const event = (await context.events()).at(-1)!;
				sameRegisters(context, 'seen by the program', {
					expected: result.in,
					seen: event.regs,
					names: [...generalRegisters, 'flags'],
				});
				checkPlace(event, result);
				sameForCaller(context, result, {unprobed});
			};
			assert.equal((await context.ask('info', {probe: probe.handle})).hook, 'kprobe', 'how the function is hooked');
			await check();
			// The kernel must not replace the breakpoint with a jump, whose handler misses calls from interrupts. Switching
			// kprobes-optimization off and on makes the optimizer finish, so that a jump would be there by now.
			const {stdout: allowed} = await context.exec('cat /proc/sys/debug/kprobes-optimization');
			assert.equal(allowed.trim(), '1', 'debug.kprobes-optimization');
			await context.exec(
				'echo 0 > /proc/sys/debug/kprobes-optimization; echo 1 > /proc/sys/debug/kprobes-optimization',
			);
			await context.during(300);
			const {stdout} = await context.exec('grep fx_asm /sys/kernel/debug/kprobes/list');
			assert.match(stdout, /fx_asm/, 'the kprobes of the kernel');
			assert.doesNotMatch(stdout, /OPTIMIZED/, 'the probe is still a breakpoint');
			await check();
			await check();
			onlyHits(await probe.info(), 3);
		},
	}),
	defineCase({
		id: 'entry/vmlinux-function',
		needs: ['entry', 'device'],
		targets: ['vmlinux'],
		deadlineMs: 5000,
		async run(context) {
			const prog = await context.load('record');
			const {probe} = await context.ask('attach', {prog, point: 'entry', symbol: 'mktime64'});
			await tidily(
				async () => {
					const values = [0, 1, 250, 100_000];
					for (const di of values) await context.call({in: {...input, di: hex(di)}});
					assert.deepEqual(
						(await context.events()).map(({regs}) => regs.di),
						values.map(hex),
						'the arguments of the calls that the program saw',
					);
					const info = await context.ask('info', {probe});
					assert.equal(info.symbol, 'mktime64', 'the name of the probed function');
					onlyHits({...info, of: 'the probe of mktime64'}, values.length);
				},
				async () => {
					await context.ask('close', {probe});
				},
			);
			const {stdout} = await context.exec('cat /sys/kernel/tracing/enabled_functions');
			assert.doesNotMatch(stdout, /mktime64/, 'the hook is gone after the close');
		},
	}),
	defineCase({
		id: 'entry/ftrace-switched-off',
		needs: ['entry', 'device'],
		targets: ['asm-fentry'],
		deadlineMs: 5000,
		async run(context) {
			const probe = await context.attach({point: 'entry'});
			const set = (value: 0 | 1) => context.exec(`echo ${value} > /proc/sys/kernel/ftrace_enabled`);
			const {code} = await set(0);
			await tidily(
				async () => {
					await context.call({in: input, ret: output, stack});
					const {hits} = await probe.info();
					// Before 5.5, a user of ftrace cannot prevent this.
					if (isBefore(context, 5, 5)) {
						assert.deepEqual({code, hits}, {code: 0, hits: 0}, 'ftrace is off');
					} else {
						assert.notEqual(code, 0, 'ftrace cannot be switched off under a probe');
						assert.equal(hits, 1, 'the probe is not silenced');
					}
				},
				async () => {
					await set(1);
				},
			);
			const {hits: before} = await probe.info();
			await context.call({in: input, ret: output, stack});
			onlyHits(await probe.info(), before + 1);
		},
	}),
	defineCase({
		id: 'entry/kprobes-switched-off',
		needs: ['entry', 'device'],
		targets: ['asm'],
		deadlineMs: 5000,
		async run(context) {
			const set = (value: 0 | 1) =>
				context.exec(
					`mount -t debugfs none /sys/kernel/debug 2>/dev/null; echo ${value} > /sys/kernel/debug/kprobes/enabled`,
				);
			assert.equal((await set(0)).code, 0, 'the status of switching kprobes off');
			await tidily(
				async () => {
					await assert.rejects(context.attach({point: 'entry'}), {errno: 'EBUSY'}, 'an attach that would see no call');
				},
				async () => {
					await set(1);
				},
			);
			const probe = await context.attach({point: 'entry'});
			await context.call({in: input, ret: output, stack});
			onlyHits(await probe.info(), 1);
		},
	}),
	defineCase({
		id: 'entry/in-interrupt',
		needs: ['entry'],
		targets: everywhere,
		deadlineMs: 5000,
		async run(context) {
			const probe = await context.attach({point: 'entry'});
			for (const irq of ['softirq', 'hardirq'] as const) {
				const flags = irq === 'softirq' ? input.flags : '0x0';
				const result = await context.call({context: irq, in: {...input, flags}, ret: {...output, flags}, stack});
				const event = (await context.events()).at(-1)!;
				const names = context.claims('registers') ? generalRegisters : argumentRegisters;
				sameRegisters(context, `seen by the program in ${irq}`, {expected: result.in, seen: event.regs, names});
				if (context.claims('device')) checkPlace(event, result);
			}
			onlyHits(await probe.info(), 2);
		},
	}),
	defineCase({
		id: 'entry/outermost-in-interrupt',
		needs: ['entry', 'return', 'device'],
		deadlineMs: 10_000,
		async run(context) {
			// Their return addresses are the first words on the stack of an interrupt, which ends in a guard page.
			const outermost = ['irq_exit_rcu', 'do_IRQ', 'smp_apic_timer_interrupt'];
			const probes = await attachToOneOf(context, outermost, 'count');
			if (!probes) return context.skip('This kernel has no function to probe that an interrupt begins with.');
			for (const probe of probes) while ((await probe.info()).hits < 20) context.signal.throwIfAborted();
		},
	}),
	defineCase({
		id: 'entry/recursion',
		needs: ['entry', 'registers'],
		targets: fixtures,
		deadlineMs: 5000,
		async run(context) {
			const probe = await context.attach({point: 'entry'});
			await context.call({in: input, ret: output, action: 'recurse', arg: 8});
			const events = await context.events();
			assert.equal(events.length, 9, 'runs of the program');
			const depths = events.map(({regs}) => BigInt(regs.sp));
			assert.deepEqual(
				depths,
				depths.toSorted((a, b) => (a > b ? -1 : 1)),
				'each call is deeper in the stack',
			);
			onlyHits(await probe.info(), 9);
		},
	}),
	defineCase({
		id: 'entry/faulting-read',
		needs: ['entry', 'programs'],
		targets: everywhere,
		deadlineMs: 5000,
		async run(context) {
			const unprobed = await context.call({in: input, ret: output, stack});
			const probe = await context.attach({point: 'entry', program: 'faulting'});
			const result = await context.call({in: input, ret: output, stack});
			assert.equal(
				(await context.ask('counters', {cookie: probe.cookie})).result,
				hex(-14),
				'bpf_probe_read returns -EFAULT',
			);
			sameForCaller(context, result, {unprobed});
			onlyHits(await probe.info(), 1);
		},
	}),
];

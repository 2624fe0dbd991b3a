import assert from 'node:assert/strict';
import {defineCase} from '../case.ts';
import {calledOnceEach, callProbed, checkPlace, everywhere, fixtures, input, output, stack} from './calls.ts';
import {
	allFlags,
	argumentRegisters,
	flagBits,
	flagsOf,
	generalRegisters,
	hex,
	onlyHits,
	sameForCaller,
	sameRegisters,
} from './registers.ts';
import {checkStack, traceCallers} from './stacks.ts';

export const entryCases = [
	defineCase({
		id: 'entry/called-once-per-call',
		needs: ['entry'],
		targets: everywhere,
		deadlineMs: 5000,
		run: context => calledOnceEach(context, 'entry'),
	}),
	defineCase({
		id: 'entry/six-register-arguments',
		needs: ['entry'],
		targets: everywhere,
		deadlineMs: 5000,
		async run(context) {
			const {event} = await callProbed(context, 'entry');
			sameRegisters(context, 'arguments seen by the program', {
				expected: input,
				seen: event.regs,
				names: argumentRegisters,
			});
			sameRegisters(context, 'arguments in the extension block', {
				expected: input,
				seen: event.ext.entry,
				names: argumentRegisters,
			});
		},
	}),
	defineCase({
		id: 'entry/stack-arguments',
		needs: ['entry', 'entry-args'],
		targets: everywhere,
		deadlineMs: 5000,
		async run(context) {
			const {event, result} = await callProbed(context, 'entry');
			assert.deepEqual(event.ext.stack.slice(0, 2), stack, '7th and 8th argument in the extension block');
			if (context.target !== 'vmlinux')
				assert.deepEqual(result.seenStack, stack, '7th and 8th argument as the function saw them');
		},
	}),
	defineCase({
		id: 'entry/all-registers',
		needs: ['entry'],
		targets: everywhere,
		deadlineMs: 5000,
		async run(context) {
			const {event, result} = await callProbed(context, 'entry');
			sameRegisters(context, 'seen by the program', {expected: result.in, seen: event.regs});
			sameRegisters(context, 'entry registers in the extension block', {expected: result.in, seen: event.ext.entry});
		},
	}),
	defineCase({
		id: 'entry/flags',
		needs: ['entry'],
		targets: everywhere,
		deadlineMs: 10_000,
		async run(context) {
			await context.attach({point: 'entry'});
			// Compiled code may not be called with the direction flag set.
			const allowed = context.target.startsWith('asm') ? allFlags : allFlags & ~flagBits.df;
			const settings = Object.values(flagBits).flatMap(bit => [bit & allowed, allowed & ~bit]);
			for (const flags of settings) {
				const result = await context.call({in: {...input, flags: hex(flags)}, ret: output, stack});
				const event = (await context.events()).at(-1)!;
				assert.equal(flagsOf(event.regs), hex(flags), 'flags seen by the program');
				assert.notEqual(BigInt(event.regs.flags) & 2n, 0n, 'the bit of the flags that is always set');
				if (context.target.startsWith('asm'))
					assert.equal(flagsOf(result.seen), hex(flags), 'flags seen by the function');
			}
			assert.equal((await context.events()).length, settings.length);
		},
	}),
	defineCase({
		id: 'entry/sp-and-ip',
		needs: ['entry'],
		targets: everywhere,
		deadlineMs: 5000,
		async run(context) {
			const {event, result} = await callProbed(context, 'entry');
			checkPlace(event, result);
			if (context.target.startsWith('asm')) assert.equal(event.regs.sp, result.seen.sp, 'sp as the function saw it');
		},
	}),
	defineCase({
		id: 'entry/call-stack',
		needs: ['entry'],
		targets: everywhere,
		deadlineMs: 5000,
		async run(context) {
			const callers = await traceCallers(context, 3);
			const {event} = await callProbed(context, 'entry', {depth: 3});
			await checkStack(context, event, callers);
		},
	}),
	defineCase({
		id: 'entry/function-unharmed',
		needs: ['entry'],
		targets: fixtures,
		deadlineMs: 5000,
		async run(context) {
			const flags = hex(flagBits.if | flagBits.cf | flagBits.zf | flagBits.of | flagBits.df);
			const {result} = await callProbed(context, 'entry', {in: {...input, flags}});
			const names = context.target === 'c' ? argumentRegisters : ([...generalRegisters, 'flags'] as const);
			sameRegisters(context, 'seen by the function', {expected: result.in, seen: result.seen, names});
			assert.deepEqual(result.seenStack, stack, 'stack arguments seen by the function');
		},
	}),
	defineCase({
		id: 'entry/caller-unharmed',
		needs: ['entry'],
		targets: everywhere,
		deadlineMs: 5000,
		async run(context) {
			const ret = {...output, flags: hex(flagBits.if | flagBits.pf | flagBits.sf | flagBits.df)};
			const unprobed = await context.call({in: input, ret, stack});
			const {result} = await callProbed(context, 'entry', {ret});
			sameForCaller(context, result, {unprobed});
		},
	}),
	defineCase({
		id: 'entry/asm-without-fentry',
		needs: ['entry'],
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
			assert.equal((await probe.info()).hook, 'kprobe');
			await check();
			// The kernel would replace the breakpoint by a jump, whose handler misses calls from interrupts. By now it would
			// have: reading kprobes-optimization and writing it back runs the optimizer to its end.
			const {stdout: allowed} = await context.exec('cat /proc/sys/debug/kprobes-optimization');
			assert.equal(allowed.trim(), '1');
			await context.exec(
				'echo 0 > /proc/sys/debug/kprobes-optimization; echo 1 > /proc/sys/debug/kprobes-optimization',
			);
			await context.during(300);
			const {stdout} = await context.exec('grep fx_asm /sys/kernel/debug/kprobes/list');
			assert.match(stdout, /fx_asm/);
			assert.doesNotMatch(stdout, /OPTIMIZED/, 'the probe stays a breakpoint');
			await check();
			await check();
			onlyHits(await probe.info(), 3);
		},
	}),
	defineCase({
		id: 'entry/vmlinux-function',
		needs: ['entry'],
		targets: ['vmlinux'],
		deadlineMs: 5000,
		async run(context) {
			const prog = await context.load('record');
			const {probe} = await context.ask('attach', {prog, point: 'entry', symbol: 'mktime64'});
			try {
				const values = [0, 1, 250, 100_000];
				for (const di of values) await context.call({in: {...input, di: hex(di)}});
				assert.deepEqual(
					(await context.events()).map(({regs}) => regs.di),
					values.map(hex),
				);
				const info = await context.ask('info', {probe});
				assert.equal(info.symbol, 'mktime64');
				onlyHits(info, values.length);
			} finally {
				await context.ask('close', {probe});
			}
			const {stdout} = await context.exec('cat /sys/kernel/tracing/enabled_functions');
			assert.doesNotMatch(stdout, /mktime64/, 'the hook is gone after the close');
		},
	}),
	defineCase({
		id: 'entry/ftrace-switched-off',
		needs: ['entry'],
		targets: ['asm-fentry'],
		deadlineMs: 5000,
		async run(context) {
			const probe = await context.attach({point: 'entry'});
			const set = (value: 0 | 1) => context.exec(`echo ${value} > /proc/sys/kernel/ftrace_enabled`);
			const {code} = await set(0);
			try {
				await context.call({in: input, ret: output, stack});
				const {hits} = await probe.info();
				const {stdout: release} = await context.exec('uname -r');
				const [major, minor] = release.split('.').map(Number) as [number, number];
				// Before 5.5 a user of ftrace has no say in it.
				if (major > 5 || (major === 5 && minor >= 5)) {
					assert.notEqual(code, 0, 'ftrace cannot be switched off under a probe');
					assert.equal(hits, 1, 'the probe is not silenced');
				} else {
					assert.deepEqual({code, hits}, {code: 0, hits: 0}, 'ftrace is off');
				}
			} finally {
				await set(1);
			}
			const {hits: before} = await probe.info();
			await context.call({in: input, ret: output, stack});
			onlyHits(await probe.info(), before + 1);
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
				sameRegisters(context, `seen by the program in ${irq}`, {expected: result.in, seen: event.regs});
				checkPlace(event, result);
			}
			onlyHits(await probe.info(), 2);
		},
	}),
	defineCase({
		id: 'entry/recursion',
		needs: ['entry'],
		targets: fixtures,
		deadlineMs: 5000,
		async run(context) {
			const probe = await context.attach({point: 'entry'});
			await context.call({in: input, ret: output, action: 'recurse', arg: 8});
			const events = await context.events();
			assert.equal(events.length, 9);
			const depths = events.map(({regs}) => BigInt(regs.sp));
			assert.deepEqual(
				depths,
				depths.toSorted((a, b) => (a > b ? -1 : 1)),
				'each call lies deeper in the stack',
			);
			onlyHits(await probe.info(), 9);
		},
	}),
	defineCase({
		id: 'entry/context-leaks-nothing',
		needs: ['entry'],
		targets: everywhere,
		deadlineMs: 5000,
		async run(context) {
			const {event} = await callProbed(context, 'entry');
			const constants = {cs: '0x10', ss: '0x18', orig_ax: hex(-1)};
			for (const [where, {cs, ss, orig_ax}] of Object.entries({
				registers: event.regs,
				'extension block': event.ext.entry,
			})) {
				assert.deepEqual({cs, ss, orig_ax}, constants, where);
			}
		},
	}),
	defineCase({
		id: 'entry/faulting-read',
		needs: ['entry'],
		targets: everywhere,
		deadlineMs: 5000,
		async run(context) {
			const unprobed = await context.call({in: input, ret: output, stack});
			const probe = await context.attach({point: 'entry', program: 'faulting'});
			const result = await context.call({in: input, ret: output, stack});
			assert.equal(
				(await context.ask('counters', {cookie: probe.cookie})).result,
				hex(-14),
				'bpf_probe_read gives -EFAULT',
			);
			sameForCaller(context, result, {unprobed});
			onlyHits(await probe.info(), 1);
		},
	}),
];

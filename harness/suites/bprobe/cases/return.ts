// SPDX-License-Identifier: GPL-2.0
import {assert} from '../assert.ts';
import {defineCase, type TargetKind} from '../case.ts';
import {
	attachInTurn,
	calledOnceEach,
	callProbed,
	checkPlace,
	everywhere,
	fixtures,
	input,
	output,
	stack,
} from './calls.ts';
import {
	argumentRegisters,
	flagBits,
	flagsOf,
	generalRegisters,
	hex,
	sameForCaller,
	sameRegisters,
	settableFlags,
} from './registers.ts';
import {checkStack, traceCallers} from './stacks.ts';

const assembly: readonly TargetKind[] = ['asm', 'asm-fentry'];

export const returnCases = [
	defineCase({
		id: 'return/called-once-per-return',
		needs: ['return'],
		targets: everywhere,
		deadlineMs: 5000,
		run: context => calledOnceEach(context, 'return'),
	}),
	defineCase({
		id: 'return/return-value',
		needs: ['return', 'return-value'],
		targets: fixtures,
		deadlineMs: 5000,
		async run(context) {
			await context.attach({point: 'return'});
			const values = [0n, 1n, -1n, -22n, 0x7fff_ffffn, 0x8000_0000n, 0xffff_ffffn, 1n << 63n, 0x1234_5678_9abc_def0n];
			for (const value of values) {
				const ret = {...output, ax: hex(value), dx: hex(~value)};
				const result = await context.call({in: input, ret});
				const event = (await context.events()).at(-1)!;
				assert.equal(event.regs.ax, hex(value), 'rax seen by the program');
				assert.equal(result.after.ax, hex(value), 'rax found by the caller');
				if (context.claims('registers'))
					assert.equal(event.regs.dx, result.after.dx, 'rdx, the upper half of a 128-bit value');
				if (context.target !== 'c') assert.equal(result.after.dx, hex(~value), 'rdx found by the caller');
			}
		},
	}),
	defineCase({
		id: 'return/all-registers-at-ret',
		needs: ['return', 'registers'],
		targets: everywhere,
		deadlineMs: 5000,
		async run(context) {
			const {event, result} = await callProbed(context, 'return');
			if (context.target.startsWith('asm')) {
				sameRegisters(context, 'seen by the program', {expected: result.ret, seen: event.regs});
				sameRegisters(context, 'found by the caller', {expected: result.ret, seen: result.after});
			}
			sameRegisters(context, 'seen by the program', {expected: result.after, seen: event.regs, by: 'the caller'});
		},
	}),
	defineCase({
		id: 'return/flags-at-ret',
		needs: ['return', 'flags'],
		targets: assembly,
		deadlineMs: 10_000,
		async run(context) {
			await context.attach({point: 'return'});
			const allowed = settableFlags(context);
			for (const flags of Object.values(flagBits).flatMap(bit => [bit & allowed, allowed & ~bit])) {
				const result = await context.call({in: input, ret: {...output, flags: hex(flags)}});
				const event = (await context.events()).at(-1)!;
				assert.equal(flagsOf(event.regs), hex(flags), 'flags seen by the program');
				assert.equal(flagsOf(result.after), hex(flags), 'flags found by the caller');
				assert.notEqual(BigInt(event.regs.flags) & 2n, 0n, 'the flags bit that is always set');
				sameRegisters(context, `found by the caller with flags ${hex(flags)}`, {
					expected: result.ret,
					seen: result.after,
				});
			}
		},
	}),
	defineCase({
		id: 'return/sp-and-return-address',
		needs: ['return', 'place'],
		targets: everywhere,
		deadlineMs: 5000,
		async run(context) {
			const {event, result} = await callProbed(context, 'return');
			checkPlace(event, result);
		},
	}),
	defineCase({
		id: 'return/context-leaks-nothing',
		needs: ['return', 'registers'],
		targets: everywhere,
		deadlineMs: 5000,
		async run(context) {
			const {event} = await callProbed(context, 'return');
			const {cs, ss, orig_ax} = event.regs;
			assert.deepEqual({cs, ss, orig_ax}, {cs: '0x10', ss: '0x18', orig_ax: hex(-1)}, 'cs, ss and orig_ax');
		},
	}),
	defineCase({
		id: 'return/arguments-at-return',
		needs: ['return', 'arguments-at-return'],
		targets: fixtures,
		deadlineMs: 5000,
		async run(context) {
			const {event, result} = await callProbed(context, 'return', {clobberStack: true});
			const overwritten = stack.map(word => hex(BigInt.asUintN(64, ~BigInt(word))));
			sameRegisters(context, 'arguments at return', {expected: input, seen: event.entry, names: argumentRegisters});
			if (context.claims('registers')) {
				sameRegisters(context, 'entry registers at return', {expected: result.in, seen: event.entry});
				// Fexit calls the function with a copy of them.
				assert.deepEqual(result.leftStack, overwritten, 'what the target wrote over its 7th and 8th argument');
			}
			assert.deepEqual(event.stack.slice(0, 2), stack, '7th and 8th argument at return');
		},
	}),
	defineCase({
		id: 'return/call-stack',
		needs: ['return', 'call-stack'],
		targets: everywhere,
		deadlineMs: 5000,
		async run(context) {
			const callers = await traceCallers(context, 3);
			const {event} = await callProbed(context, 'return', {depth: 3});
			await checkStack(context, event, callers);
		},
	}),
	defineCase({
		id: 'return/call-stack-every-caller-hooked',
		needs: ['return', 'call-stack'],
		targets: everywhere,
		deadlineMs: 20_000,
		async run(context) {
			const callers = [];
			for (let depth = 1; depth <= 8; depth++) callers.push(await traceCallers(context, depth));
			for (const point of context.points) await context.attach({point});
			for (let n = 1; n <= 8; n++)
				await context.attach({point: 'return', program: 'empty', at: await context.address(`fx_chain_${n}`)});
			for (let depth = 1; depth <= 8; depth++) {
				// Only one stack in the map at a time: bpf_get_stackid fails if two different stacks share a bucket.
				await context.ask('reset', {});
				await context.call({in: input, ret: output, depth});
				const events = await context.events();
				assert.equal(events.length, context.points.length, 'a run at each point');
				for (const event of events) await checkStack(context, event, callers[depth - 1]!);
			}
		},
	}),
	defineCase({
		id: 'return/caller-cannot-tell',
		needs: ['return'],
		targets: everywhere,
		deadlineMs: 5000,
		async run(context) {
			for (const flags of [flagBits.if | flagBits.zf | flagBits.of | flagBits.df, flagBits.cf | flagBits.sf]) {
				const ret = {...output, flags: hex(flags)};
				const unprobed = await context.call({in: input, ret, stack});
				const probes = await attachInTurn(context, context.points.length);
				const result = await context.call({in: input, ret, stack});
				sameForCaller(context, result, {unprobed});
				if (context.target.startsWith('asm')) {
					sameRegisters(context, 'found by the caller', {
						expected: result.ret,
						seen: result.after,
						names: [...generalRegisters, 'flags'],
					});
				}
				for (const probe of probes) await probe.close();
			}
		},
	}),
];

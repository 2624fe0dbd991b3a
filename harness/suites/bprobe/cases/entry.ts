// SPDX-License-Identifier: GPL-2.0
import {assert} from '../assert.ts';
import {defineCase} from '../case.ts';
import {calledOnceEach, callProbed, checkPlace, everywhere, fixtures, input, output, stack} from './calls.ts';
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

export const entryCases = [
	defineCase({
		id: 'entry/called-once-per-call',
		needs: ['entry', 'arguments'],
		targets: everywhere,
		deadlineMs: 5000,
		run: context => calledOnceEach(context, 'entry'),
	}),
	defineCase({
		id: 'entry/six-register-arguments',
		needs: ['entry', 'arguments'],
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
				seen: event.entry,
				names: argumentRegisters,
			});
		},
	}),
	defineCase({
		id: 'entry/stack-arguments',
		needs: ['entry', 'stack-arguments'],
		targets: everywhere,
		deadlineMs: 5000,
		async run(context) {
			if (context.target === 'vmlinux' && !context.claims('registers'))
				context.skip('The function has six arguments, and the mechanism shows only those.');
			const {event, result} = await callProbed(context, 'entry');
			assert.deepEqual(event.stack.slice(0, 2), stack, '7th and 8th argument in the extension block');
			if (context.target !== 'vmlinux')
				assert.deepEqual(result.seenStack, stack, '7th and 8th argument as the function saw them');
		},
	}),
	defineCase({
		id: 'entry/stack-arguments-in-two-pages',
		needs: ['entry', 'stack-arguments'],
		targets: fixtures,
		deadlineMs: 5000,
		async run(context) {
			const {event, result} = await callProbed(context, 'entry', {atPageEnd: true});
			assert.ok(
				(BigInt(result.sp) - 8n) % 4096n >= 4096n - 64n,
				`the return address is not at the end of a page: ${result.sp}`,
			);
			assert.deepEqual(event.stack.slice(0, 2), stack, '7th and 8th argument in the extension block');
			assert.deepEqual(result.seenStack, stack, '7th and 8th argument as the function saw them');
		},
	}),
	defineCase({
		id: 'entry/all-registers',
		needs: ['entry', 'registers'],
		targets: everywhere,
		deadlineMs: 5000,
		async run(context) {
			const {event, result} = await callProbed(context, 'entry');
			sameRegisters(context, 'seen by the program', {expected: result.in, seen: event.regs});
			sameRegisters(context, 'entry registers in the extension block', {expected: result.in, seen: event.entry});
		},
	}),
	defineCase({
		id: 'entry/flags',
		needs: ['entry', 'flags'],
		targets: everywhere,
		deadlineMs: 10_000,
		async run(context) {
			await context.attach({point: 'entry'});
			const allowed = settableFlags(context);
			const settings = Object.values(flagBits).flatMap(bit => [bit & allowed, allowed & ~bit]);
			for (const flags of settings) {
				const result = await context.call({in: {...input, flags: hex(flags)}, ret: output, stack});
				const event = (await context.events()).at(-1)!;
				assert.equal(flagsOf(event.regs), hex(flags), 'flags seen by the program');
				assert.notEqual(BigInt(event.regs.flags) & 2n, 0n, 'the flags bit that is always set');
				if (context.target.startsWith('asm'))
					assert.equal(flagsOf(result.seen), hex(flags), 'flags seen by the function');
			}
			assert.equal((await context.events()).length, settings.length, 'runs of the program');
		},
	}),
	defineCase({
		id: 'entry/sp-and-ip',
		needs: ['entry', 'place'],
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
		needs: ['entry', 'call-stack'],
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
		id: 'entry/context-leaks-nothing',
		needs: ['entry', 'registers'],
		targets: everywhere,
		deadlineMs: 5000,
		async run(context) {
			const {event} = await callProbed(context, 'entry');
			const constants = {cs: '0x10', ss: '0x18', orig_ax: hex(-1)};
			for (const [where, {cs, ss, orig_ax}] of Object.entries({
				registers: event.regs,
				'extension block': event.entry,
			})) {
				assert.deepEqual({cs, ss, orig_ax}, constants, where);
			}
		},
	}),
];

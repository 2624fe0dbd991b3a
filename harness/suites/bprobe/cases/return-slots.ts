// SPDX-License-Identifier: GPL-2.0
import {assert} from '../assert.ts';
import {defineCase} from '../case.ts';
import {targetSymbols} from '../context.ts';
import {
	assembly,
	bypassed,
	checkPlace,
	everywhere,
	fixtures,
	input,
	inTracefs,
	output,
	stack,
	tailOf,
} from './calls.ts';
import {
	argumentRegisters,
	generalRegisters,
	hex,
	keptByC,
	onlyHits,
	sameForCaller,
	sameRegisters,
} from './registers.ts';
import {checkStack, traceCallers} from './stacks.ts';
import {framesInFlight} from './tasks.ts';
import {tidily} from './tidily.ts';

/** Return-address slots in the presence of other calls, interrupts and other mechanisms. */
export const returnSlotCases = [
	defineCase({
		id: 'return/recursion-64',
		needs: ['return', 'registers'],
		targets: fixtures,
		deadlineMs: 10_000,
		async run(context) {
			const probe = await context.attach({point: 'return'});
			// The stack of a task has no room for 64 levels of instrumented functions.
			const depth = context.hasOption('CONFIG_KCSAN') ? 32 : 64;
			await context.call({in: input, ret: output, action: 'recurse', arg: depth});
			const events = await context.events();
			assert.equal(events.length, depth + 1, 'runs of the program');
			const depths = events.map(({regs}) => BigInt(regs.sp));
			assert.deepEqual(
				depths,
				depths.toSorted((a, b) => (a > b ? 1 : -1)),
				'the innermost call returns first',
			);
			assert.equal(events.at(-1)!.regs.ax, output.ax, 'the return value of the outermost call');
			onlyHits(await probe.info(), depth + 1);
		},
	}),
	defineCase({
		id: 'return/tail-call',
		needs: ['entry', 'return', 'place'],
		targets: assembly,
		deadlineMs: 10_000,
		async run(context) {
			const [tail, symbol] = tailOf(context.target);
			const [outer, inner] = [await context.address(symbol), await context.address(targetSymbols[context.target])];
			for (const hooked of [[inner], [outer], [outer, inner]]) {
				await context.ask('reset', {});
				const probes = [];
				for (const point of ['entry', 'return'] as const)
					for (const at of hooked) probes.push(await context.attach({point, at}));
				const result = await context.call({target: tail, in: input, ret: output, stack});
				const events = await context.events();
				// The return program of the function that was jumped to runs first.
				assert.deepEqual(
					events.map(({regs}) => regs.ip),
					[...hooked, ...hooked.toReversed()],
					'functions in which the programs ran: in, then out',
				);
				for (const event of events) {
					assert.deepEqual(
						{sp: event.regs.sp, atSlot: event.slot, caller: event.caller},
						{sp: hex(BigInt(result.sp) - 8n), atSlot: result.caller, caller: result.caller},
						'where the program ran, and whom the function returns to',
					);
				}
				sameRegisters(context, 'found by the caller', {
					expected: result.ret,
					seen: result.after,
					names: [...generalRegisters, 'flags'],
				});
				assert.equal(result.after.sp, result.sp, 'the stack pointer after the call');
				for (const probe of probes) await probe.close();
			}
		},
	}),
	defineCase({
		id: 'return/bypassed',
		needs: ['return', 'device'],
		targets: fixtures,
		deadlineMs: 10_000,
		async run(context) {
			const probe = await context.attach({point: 'return'});
			for (let n = 0; n < 10; n++) await context.call(bypassed);
			assert.equal((await context.events()).length, 0, 'none of these calls has a visible return');
			assert.notEqual(await framesInFlight(context), 0, 'frames in flight before the task returns');
			// A call at a higher stack address shows that the deeper calls have ended. Some kernels randomize the stack
			// offset of each system call, so it may take several calls.
			let calls = 0;
			for (; calls === 0 || (calls < 500 && (await framesInFlight(context)) > 0); calls++)
				await context.call({in: input, ret: output, stack});
			onlyHits(await probe.info(), calls);
			assert.equal(await framesInFlight(context), 0, 'frames in flight');

			// The return of a probed outer call shows that the calls within it have ended, too.
			const outer = await context.attach({point: 'return', program: 'count', at: await context.address('fx_chain_2')});
			await context.call(bypassed);
			onlyHits(await outer.info(), 1);
			onlyHits(await probe.info(), calls);
			assert.equal(await framesInFlight(context), 0, 'frames in flight');
		},
	}),
	defineCase({
		id: 'return/call-stack-of-a-tail-call',
		needs: ['return', 'device', 'call-stack'],
		targets: assembly,
		deadlineMs: 10_000,
		async run(context) {
			const [target, symbol] = tailOf(context.target);
			const callers = await traceCallers(context, 3);
			// Two calls share a slot, and an outer one has its own.
			for (const name of [symbol, 'fx_chain_2'])
				await context.attach({point: 'return', program: 'count', at: await context.address(name)});
			const probe = await context.attach({point: 'return'});
			await context.call({target, in: input, ret: output, stack, depth: 3});
			const [event] = await context.events({cookie: probe.cookie});
			assert.ok(event, 'the program runs');
			await checkStack(context, event, callers);
		},
	}),
	defineCase({
		id: 'return/in-interrupt',
		needs: ['return'],
		targets: everywhere,
		deadlineMs: 5000,
		async run(context) {
			const probe = await context.attach({point: 'return'});
			for (const irq of ['softirq', 'hardirq'] as const) {
				const flags = irq === 'softirq' ? input.flags : '0x0';
				const result = await context.call({context: irq, in: {...input, flags}, ret: {...output, flags}, stack});
				const event = (await context.events()).at(-1)!;
				if (context.claims('registers'))
					sameRegisters(context, `seen by the program in ${irq}`, {
						expected: result.after,
						seen: event.regs,
						by: 'the caller',
					});
				if (context.claims('arguments-at-return'))
					sameRegisters(context, `arguments in ${irq}`, {
						expected: result.in,
						seen: event.entry,
						names: context.claims('registers') ? generalRegisters : argumentRegisters,
					});
				if (context.claims('return-value')) assert.equal(event.regs.ax, result.after.ax, 'the return value');
				if (context.claims('device')) checkPlace(event, result);
			}
			onlyHits(await probe.info(), 2);
		},
	}),
	defineCase({
		id: 'return/beside-kretprobe',
		needs: ['return', 'return-value'],
		targets: ['asm-fentry', 'c'],
		deadlineMs: 20_000,
		async run(context) {
			const symbol = targetSymbols[context.target];
			const shell = (command: string) => inTracefs(context, command);
			const addKretprobe = () =>
				shell(`echo 'r:pm_return ${symbol}' >> kprobe_events && echo 1 > events/kprobes/pm_return/enable`);
			const removeKretprobe = () =>
				shell(`echo 0 > events/kprobes/pm_return/enable && echo '-:pm_return' >> kprobe_events`);
			const unprobed = await context.call({in: input, ret: output, stack});
			for (const first of ['ours', 'kretprobe'] as const) {
				let probe = first === 'ours' ? await context.attach({point: 'return'}) : undefined;
				await addKretprobe();
				await tidily(
					async () => {
						probe ??= await context.attach({point: 'return'});
						// Its program may walk the stack, so the slots that are ours are changed for it; no others.
						const inner = context.claims('device')
							? await context.attach({point: 'entry', program: 'count', at: await context.address('fx_act')})
							: undefined;
						for (let n = 0; n < 5; n++) {
							const result = await context.call({in: input, ret: output, stack});
							sameForCaller(context, result, {unprobed});
							assert.equal(
								(await context.events({cookie: probe.cookie})).at(-1)!.regs.ax,
								result.after.ax,
								'the return value that the program saw and the caller found',
							);
						}
						onlyHits(await probe.info(), 5);
						assert.match(await shell('cat kprobe_profile'), /pm_return\s+5\s+0/, 'the kretprobe saw all calls');
						if (inner) {
							onlyHits(await inner.info(), 5);
							await inner.close();
						}
						await probe.close();
					},
					async () => {
						await removeKretprobe();
					},
				);
			}
		},
	}),
	defineCase({
		id: 'return/beside-function-graph',
		needs: ['return', 'call-stack'],
		targets: ['asm-fentry', 'c'],
		deadlineMs: 30_000,
		async run(context) {
			const symbol = targetSymbols[context.target];
			const shell = (command: string) => inTracefs(context, command);
			const unprobed = await context.call({in: input, ret: output, stack, depth: 2});
			const callers = await traceCallers(context, 2);
			for (const first of ['ours', 'tracer'] as const) {
				const probe = first === 'ours' ? await context.attach({point: 'return'}) : undefined;
				await shell(
					`echo ${symbol} > set_ftrace_filter && echo fx_chain_1 >> set_ftrace_filter && echo function_graph > current_tracer`,
				);
				const attached = await tidily(
					async () => {
						const own = probe ?? (await context.attach({point: 'return'}));
						const result = await context.call({in: input, ret: output, stack, depth: 2});
						const events = await context.events({cookie: own.cookie});
						assert.equal(events.length, 1, 'runs of the program');
						// The return hook of the tracer keeps only the registers that C requires.
						sameForCaller(context, result, {unprobed, names: keptByC});
						await checkStack(context, events[0]!, callers);
						onlyHits(await own.info(), 1);
						assert.match(await shell('cat trace'), new RegExp(symbol), 'the tracer saw the call');
						return own;
					},
					async () => {
						await shell('echo nop > current_tracer && echo > set_ftrace_filter');
					},
				);
				await attached.close();
			}
		},
	}),
];

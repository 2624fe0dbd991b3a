import assert from 'node:assert/strict';
import type {Call, CallResult, Point, ProgramEvent} from '../../link/agent-protocol.ts';
import {type CaseContext, defineCase, type TargetKind} from '../case.ts';
import {
	allFlags,
	argumentRegisters,
	flagBits,
	flagsOf,
	generalRegisters,
	hex,
	keptByC,
	onlyHits,
	pattern,
	sameForCaller,
	sameRegisters,
} from './registers.ts';
import {checkStack, traceCallers} from './stacks.ts';
import {framesInFlight, waitUntilWaiting} from './tasks.ts';

const everywhere: readonly TargetKind[] = ['asm', 'asm-fentry', 'c', 'vmlinux'];
const fixtures: readonly TargetKind[] = ['asm', 'asm-fentry', 'c'];
const assembly: readonly TargetKind[] = ['asm', 'asm-fentry'];
const input = pattern(1);
const output = pattern(2);
const stack = [hex(0x7777_0000_0000_0007n), hex(0x8888_0000_0000_0008n)] as const;

/** One call with one return probe: what the program saw and what the caller found. */
async function callProbed(context: CaseContext, call: Call = {}): Promise<{event: ProgramEvent; result: CallResult}> {
	const probe = await context.attach({point: 'return'});
	const result = await context.call({in: input, ret: output, stack, ...call});
	const events = await context.events();
	assert.equal(events.length, 1, 'runs of the program');
	onlyHits(await probe.info(), 1);
	return {event: events[0]!, result};
}

function checkPlace(event: ProgramEvent, result: CallResult): void {
	assert.deepEqual(
		{ip: event.regs.ip, function: event.ext.function, sp: event.regs.sp, atSlot: event.slot, caller: event.ext.caller},
		{
			ip: result.function,
			function: result.function,
			sp: hex(BigInt(result.sp) - 8n),
			atSlot: result.caller,
			caller: result.caller,
		},
	);
}

export const returnCases = [
	defineCase({
		id: 'return/called-once-per-return',
		needs: ['return'],
		targets: everywhere,
		deadlineMs: 5000,
		async run(context) {
			const probe = await context.attach({point: 'return'});
			const calls: CallResult[] = [];
			for (let n = 0; n < 20; n++) calls.push(await context.call({in: {...input, di: hex(n)}, ret: output}));
			const events = await context.events();
			assert.deepEqual(
				events.map(({ext, tid}) => ({di: ext.entry.di, tid})),
				calls.map(({pid}, n) => ({di: hex(n), tid: pid})),
			);
			for (const [n, {timeNs}] of events.entries()) {
				assert.ok(
					BigInt(timeNs) >= BigInt(calls[n]!.beginNs) && BigInt(timeNs) <= BigInt(calls[n]!.endNs),
					`run ${n} lies outside of its call`,
				);
			}
			onlyHits(await probe.info(), 20);
		},
	}),
	defineCase({
		id: 'return/return-value',
		needs: ['return'],
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
				assert.equal(event.regs.dx, result.after.dx, 'rdx, the upper half of a 128-bit value');
				if (context.target !== 'c') assert.equal(result.after.dx, hex(~value), 'rdx found by the caller');
			}
		},
	}),
	defineCase({
		id: 'return/all-registers-at-ret',
		needs: ['return'],
		targets: everywhere,
		deadlineMs: 5000,
		async run(context) {
			const {event, result} = await callProbed(context);
			sameRegisters(context, 'seen by the program, against what the caller found', {
				expected: result.after,
				seen: event.regs,
			});
			if (context.target.startsWith('asm'))
				sameRegisters(context, 'seen by the program', {expected: output, seen: event.regs});
		},
	}),
	defineCase({
		id: 'return/flags-at-ret',
		needs: ['return'],
		targets: assembly,
		deadlineMs: 10_000,
		async run(context) {
			await context.attach({point: 'return'});
			for (const flags of Object.values(flagBits).flatMap(bit => [bit, allFlags & ~bit])) {
				const result = await context.call({in: input, ret: {...output, flags: hex(flags)}});
				const event = (await context.events()).at(-1)!;
				assert.equal(flagsOf(event.regs), hex(flags), 'flags seen by the program');
				assert.equal(flagsOf(result.after), hex(flags), 'flags found by the caller');
				assert.notEqual(BigInt(event.regs.flags) & 2n, 0n, 'the bit of the flags that is always set');
				sameRegisters(context, `found by the caller with flags ${hex(flags)}`, {expected: output, seen: result.after});
			}
		},
	}),
	defineCase({
		id: 'return/sp-and-return-address',
		needs: ['return'],
		targets: everywhere,
		deadlineMs: 5000,
		async run(context) {
			const {event, result} = await callProbed(context);
			checkPlace(event, result);
		},
	}),
	defineCase({
		id: 'return/context-leaks-nothing',
		needs: ['return'],
		targets: everywhere,
		deadlineMs: 5000,
		async run(context) {
			const {event} = await callProbed(context);
			const {cs, ss, orig_ax} = event.regs;
			assert.deepEqual({cs, ss, orig_ax}, {cs: '0x10', ss: '0x18', orig_ax: hex(-1)});
		},
	}),
	defineCase({
		id: 'return/arguments-at-return',
		needs: ['return', 'entry-args'],
		targets: fixtures,
		deadlineMs: 5000,
		async run(context) {
			const {event} = await callProbed(context, {clobberStack: true});
			sameRegisters(context, 'arguments at return', {expected: input, seen: event.ext.entry, names: argumentRegisters});
			sameRegisters(context, 'entry registers at return', {expected: input, seen: event.ext.entry});
			assert.deepEqual(event.ext.stack.slice(0, 2), stack, '7th and 8th argument at return');
		},
	}),
	defineCase({
		id: 'return/call-stack',
		needs: ['return'],
		targets: everywhere,
		deadlineMs: 5000,
		async run(context) {
			const callers = await traceCallers(context, 3);
			const {event} = await callProbed(context, {depth: 3});
			await checkStack(context, event, callers);
		},
	}),
	defineCase({
		id: 'return/call-stack-every-caller-hooked',
		needs: ['return'],
		targets: everywhere,
		deadlineMs: 20_000,
		async run(context) {
			const callers = [];
			for (let depth = 1; depth <= 8; depth++) callers.push(await traceCallers(context, depth));
			for (const point of ['return', 'entry'] as const) await context.attach({point});
			for (let n = 1; n <= 8; n++)
				await context.attach({point: 'return', program: 'empty', at: await context.address(`fx_chain_${n}`)});
			for (let depth = 1; depth <= 8; depth++) {
				// One stack in the map at a time: bpf_get_stackid gives up where two different ones share a bucket.
				await context.ask('reset', {});
				await context.call({in: input, ret: output, depth});
				const events = await context.events();
				assert.equal(events.length, 2, 'an entry and a return');
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
				const probes = [await context.attach({point: 'return'}), await context.attach({point: 'entry'})];
				const result = await context.call({in: input, ret, stack});
				sameForCaller(context, result, {unprobed});
				if (context.target.startsWith('asm')) {
					sameRegisters(context, 'found by the caller', {
						expected: ret,
						seen: result.after,
						names: [...generalRegisters, 'flags'],
					});
				}
				for (const probe of probes) await probe.close();
			}
		},
	}),
	defineCase({
		id: 'return/recursion-64',
		needs: ['return'],
		targets: fixtures,
		deadlineMs: 10_000,
		async run(context) {
			const probe = await context.attach({point: 'return'});
			await context.call({in: input, ret: output, action: 'recurse', arg: 64});
			const events = await context.events();
			assert.equal(events.length, 65);
			const depths = events.map(({regs}) => BigInt(regs.sp));
			assert.deepEqual(
				depths,
				depths.toSorted((a, b) => (a > b ? 1 : -1)),
				'the innermost call returns first',
			);
			assert.equal(events.at(-1)!.regs.ax, output.ax);
			onlyHits(await probe.info(), 65);
		},
	}),
	defineCase({
		id: 'return/tail-call',
		needs: ['return'],
		targets: assembly,
		deadlineMs: 10_000,
		async run(context) {
			const tail = context.target === 'asm' ? 'tail' : 'tail-fentry';
			const [outer, inner] = [
				await context.address(context.target === 'asm' ? 'fx_tail' : 'fx_tail_fentry'),
				await context.address(context.target === 'asm' ? 'fx_asm' : 'fx_asm_fentry'),
			];
			for (const hooked of [[inner], [outer], [outer, inner]]) {
				await context.ask('reset', {});
				const probes = [];
				for (const point of ['entry', 'return'] as const)
					for (const at of hooked) probes.push(await context.attach({point, at}));
				const result = await context.call({target: tail, in: input, ret: output, stack});
				const events = await context.events();
				// The function that was jumped to ends first.
				assert.deepEqual(
					events.map(({regs}) => regs.ip),
					[...hooked, ...hooked.toReversed()],
				);
				for (const event of events) {
					assert.deepEqual(
						{sp: event.regs.sp, atSlot: event.slot, caller: event.ext.caller},
						{sp: hex(BigInt(result.sp) - 8n), atSlot: result.caller, caller: result.caller},
					);
				}
				sameRegisters(context, 'found by the caller', {
					expected: output,
					seen: result.after,
					names: [...generalRegisters, 'flags'],
				});
				assert.equal(result.after.sp, result.sp);
				for (const probe of probes) await probe.close();
			}
		},
	}),
	defineCase({
		id: 'return/sleeps-and-migrates',
		needs: ['return'],
		targets: fixtures,
		deadlineMs: 5000,
		async run(context) {
			const {event, result} = await callProbed(context, {action: 'sleep', arg: 20});
			assert.notEqual(result.cpuAfter, result.cpuBefore, 'the call ended on another CPU');
			assert.equal(event.cpu, result.cpuAfter);
			sameRegisters(context, 'entry registers at return', {expected: input, seen: event.ext.entry});
			checkPlace(event, result);
		},
	}),
	defineCase({
		id: 'return/killed-inside',
		needs: ['return'],
		targets: fixtures,
		deadlineMs: 10_000,
		async run(context) {
			const probe = await context.attach({point: 'return'});
			const {task, pid} = await context.ask('callInTask', {
				target: context.target === 'vmlinux' ? 'c' : context.target,
				in: input,
				ret: output,
				action: 'wait',
			});
			await waitUntilWaiting(context, 1);
			assert.equal((await context.events()).length, 0, 'no return while the task waits');
			await context.ask('taskKill', {task, signal: 'KILL'});
			const end = await context.ask('taskWait', {task, timeoutMs: 3000});
			assert.equal(end.signal, 'KILL');
			const events = await context.events();
			assert.deepEqual(
				events.map(({tid}) => tid),
				[pid],
				'one return, of the killed task',
			);
			onlyHits(await probe.info(), 1);
		},
	}),
	defineCase({
		id: 'return/never-returns',
		needs: ['return'],
		targets: fixtures,
		deadlineMs: 20_000,
		async run(context) {
			const calls = 100;
			const entry = await context.attach({point: 'entry', program: 'count'});
			const probe = await context.attach({point: 'return'});
			for (let n = 0; n < calls; n++) await context.call({context: 'kthread', action: 'exit', in: input, ret: output});
			assert.equal((await entry.info()).hits, calls);
			assert.equal((await context.events()).length, 0);
			// The frames of dead tasks are given back when the kernel frees the tasks.
			while ((await framesInFlight(context)) > 0) context.signal.throwIfAborted();
			await context.call({in: input, ret: output});
			onlyHits(await probe.info(), 1);
		},
	}),
	defineCase({
		id: 'return/exec-by-a-thread',
		needs: ['return'],
		deadlineMs: 10_000,
		async run(context) {
			// Inside this function the thread becomes its process's first one: pid and start time change under the frame.
			const names = ['begin_new_exec', 'flush_old_exec'];
			const {addresses} = await context.ask('symbols', {names});
			const at = names.flatMap(name => addresses[name] ?? [])[0];
			assert.ok(at, `this kernel has none of ${names.join(', ')}`);
			const probe = await context.attach({point: 'return', at});
			for (let n = 1; n <= 3; n++) {
				const {pid, status} = await context.ask('execByThread', {});
				assert.equal(status, 0);
				const events = await context.events();
				assert.deepEqual(
					events.slice(n - 1).map(({tid, regs}) => ({tid, ax: regs.ax})),
					[{tid: pid, ax: '0x0'}],
				);
			}
			onlyHits(await probe.info(), 3);
			assert.equal(await framesInFlight(context), 0);
		},
	}),
	defineCase({
		id: 'return/attached-mid-call',
		needs: ['return'],
		targets: fixtures,
		deadlineMs: 10_000,
		async run(context) {
			for (const withFrame of [false, true]) {
				await context.ask('reset', {});
				const old = withFrame ? await context.attach({point: 'return', program: 'count'}) : undefined;
				const {task} = await context.ask('callInTask', {
					target: context.target === 'vmlinux' ? 'c' : context.target,
					action: 'wait',
					in: input,
					ret: output,
				});
				await waitUntilWaiting(context, 1);
				const probe = await context.attach({point: 'return'});
				await context.ask('release', {});
				const {result} = await context.ask('taskWait', {task, timeoutMs: 3000});
				assert.ok(result, 'the call returned');
				assert.equal((await context.events()).length, 0, 'a call that began before the attach is not seen');
				if (old) onlyHits(await old.info(), 1);
				await context.call({in: input, ret: output});
				onlyHits(await probe.info(), 1);
				await probe.close();
				await old?.close();
			}
		},
	}),
	defineCase({
		id: 'return/detached-mid-call',
		needs: ['return'],
		targets: fixtures,
		deadlineMs: 10_000,
		async run(context) {
			const unprobed = await context.call({in: input, ret: output, stack});
			const probe = await context.attach({point: 'return'});
			const {task} = await context.ask('callInTask', {
				target: context.target === 'vmlinux' ? 'c' : context.target,
				action: 'wait',
				in: input,
				ret: output,
				stack,
			});
			await waitUntilWaiting(context, 1);
			await probe.close();
			assert.equal((await context.ask('counts', {})).waiting, 1, 'the close did not wait for the call');
			await context.ask('release', {});
			const {result} = await context.ask('taskWait', {task, timeoutMs: 3000});
			assert.ok(result, 'the call returned');
			const names = context.target === 'c' ? keptByC : ([...generalRegisters, 'flags'] as const);
			sameRegisters(context, 'found by the caller', {expected: unprobed.after, seen: result.after, names});
			assert.equal((await context.events()).length, 0, 'nothing ran at its return');
			assert.equal(await framesInFlight(context), 0);
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
				sameRegisters(context, `seen by the program in ${irq}`, {expected: result.after, seen: event.regs});
				sameRegisters(context, `entry registers in ${irq}`, {expected: input, seen: event.ext.entry});
				checkPlace(event, result);
			}
			onlyHits(await probe.info(), 2);
		},
	}),
	defineCase({
		id: 'return/sixty-four-sleepers',
		needs: ['return'],
		targets: fixtures,
		deadlineMs: 20_000,
		async run(context) {
			const target = context.target === 'vmlinux' ? 'c' : context.target;
			const probe = await context.attach({point: 'return'});
			const tasks = [];
			for (let n = 0; n < 64; n++)
				tasks.push(await context.ask('callInTask', {target, action: 'wait', in: {...input, di: hex(n)}, ret: output}));
			await waitUntilWaiting(context, 64);
			assert.equal(await framesInFlight(context), 64);
			await context.ask('release', {});
			for (const {task} of tasks) {
				const {result} = await context.ask('taskWait', {task, timeoutMs: 10_000});
				assert.equal(result?.after.ax, output.ax);
			}
			const seen = (await context.events()).map(({tid, ext}) => `${tid} ${ext.entry.di}`);
			assert.deepEqual(seen.toSorted(), tasks.map(({pid}, n) => `${pid} ${hex(n)}`).toSorted());
			onlyHits(await probe.info(), 64);
		},
	}),
	defineCase({
		id: 'return/beside-kretprobe',
		needs: ['return'],
		targets: ['asm-fentry', 'c'],
		deadlineMs: 20_000,
		async run(context) {
			const symbol = context.target === 'c' ? 'fx_c' : 'fx_asm_fentry';
			const shell = async (command: string) => {
				const {code, stdout, stderr} = await context.exec(`cd /sys/kernel/tracing && ${command}`);
				assert.equal(code, 0, `${command}: ${stderr}`);
				return stdout;
			};
			const addKretprobe = () =>
				shell(`echo 'r:pm_return ${symbol}' >> kprobe_events && echo 1 > events/kprobes/pm_return/enable`);
			const removeKretprobe = () =>
				shell(`echo 0 > events/kprobes/pm_return/enable && echo '-:pm_return' >> kprobe_events`);
			const unprobed = await context.call({in: input, ret: output, stack});
			for (const first of ['ours', 'kretprobe'] as const) {
				let probe = first === 'ours' ? await context.attach({point: 'return'}) : undefined;
				await addKretprobe();
				try {
					probe ??= await context.attach({point: 'return'});
					for (let n = 0; n < 5; n++) {
						const result = await context.call({in: input, ret: output, stack});
						sameForCaller(context, result, {unprobed});
						assert.equal((await context.events({cookie: probe.cookie})).at(-1)!.regs.ax, result.after.ax);
					}
					onlyHits(await probe.info(), 5);
					assert.match(await shell('cat kprobe_profile'), /pm_return\s+5\s+0/, 'the kretprobe saw all calls, too');
					await probe.close();
				} finally {
					await removeKretprobe();
				}
			}
		},
	}),
	defineCase({
		id: 'return/beside-function-graph',
		needs: ['return'],
		targets: ['asm-fentry', 'c'],
		deadlineMs: 30_000,
		async run(context) {
			const symbol = context.target === 'c' ? 'fx_c' : 'fx_asm_fentry';
			const shell = async (command: string) => {
				const {code, stdout, stderr} = await context.exec(`cd /sys/kernel/tracing && ${command}`);
				assert.equal(code, 0, `${command}: ${stderr}`);
				return stdout;
			};
			const unprobed = await context.call({in: input, ret: output, stack, depth: 2});
			const callers = await traceCallers(context, 2);
			for (const first of ['ours', 'tracer'] as const) {
				let probe = first === 'ours' ? await context.attach({point: 'return'}) : undefined;
				await shell(
					`echo ${symbol} > set_ftrace_filter && echo fx_chain_1 >> set_ftrace_filter && echo function_graph > current_tracer`,
				);
				try {
					probe ??= await context.attach({point: 'return'});
					const result = await context.call({in: input, ret: output, stack, depth: 2});
					const events = await context.events({cookie: probe.cookie});
					assert.equal(events.length, 1);
					// The tracer's own return hook keeps no more than what C asks for.
					sameRegisters(context, 'found by the caller', {expected: unprobed.after, seen: result.after, names: keptByC});
					await checkStack(context, events[0]!, callers);
					onlyHits(await probe.info(), 1);
					assert.match(await shell('cat trace'), new RegExp(symbol), 'the tracer saw the call, too');
				} finally {
					await shell('echo nop > current_tracer && echo > set_ftrace_filter');
				}
				await probe.close();
			}
		},
	}),
	defineCase({
		id: 'return/unload-while-asleep-inside',
		needs: ['return', 'device'],
		targets: fixtures,
		deadlineMs: 20_000,
		async run(context) {
			const target = context.target === 'vmlinux' ? 'c' : context.target;
			const unprobed = await context.call({in: input, ret: output, stack});
			const probe = await context.attach({point: 'return'});
			const inside = [];
			for (let n = 0; n < 8; n++)
				inside.push(await context.ask('callInTask', {target, action: 'wait', in: input, ret: output, stack, depth: n}));
			await waitUntilWaiting(context, 8);
			await probe.close();
			await context.ask('rmmod', {module: 'bprobe'});
			try {
				assert.equal((await context.ask('counts', {})).waiting, 8, 'the unload did not wait for the calls');
				await context.ask('release', {});
				for (const {task} of inside) {
					const {result} = await context.ask('taskWait', {task, timeoutMs: 5000});
					assert.ok(result, 'the call returned without the module');
					const names = context.target === 'c' ? keptByC : ([...generalRegisters, 'flags'] as const);
					sameRegisters(context, 'found by the caller', {expected: unprobed.after, seen: result.after, names});
				}
			} finally {
				await context.ask('insmod', {module: 'bprobe'});
			}
			const again = await context.attach({point: 'return' satisfies Point});
			await context.call({in: input, ret: output});
			onlyHits(await again.info(), 1);
		},
	}),
];

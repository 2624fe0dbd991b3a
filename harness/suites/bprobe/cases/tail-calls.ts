// SPDX-License-Identifier: GPL-2.0
import type {Point, ProgramName} from '../agent-protocol.ts';
import {assert} from '../assert.ts';
import {type CaseContext, defineCase, type Probe} from '../case.ts';
import {checkPlace, fixtures, input, output, stack} from './calls.ts';
import {onlyHits, sameRegisters} from './registers.ts';
import {checkStack, traceCallers} from './stacks.ts';
import {framesInFlight} from './tasks.ts';

const depth = 4;

/** Attaches a program that only tail-calls `next`, and return probes to the callers of the target. */
async function attachTailCall(context: CaseContext, point: Point, next: ProgramName): Promise<Probe> {
	const {prog} = await context.ask('load', {program: 'tail_call', next: await context.load(next)});
	const probe = await context.attach({point, program: prog});
	await context.ask('unload', {prog});
	for (let n = 1; n <= depth; n++)
		await context.attach({point: 'return', program: 'empty', at: await context.address(`fx_chain_${n}`)});
	return probe;
}

// The program that is attached calls no helper, so only the one it calls reads the extension block and the stack.
const sameAsCalledDirectly = (point: Point) =>
	defineCase({
		id: `multi/tail-call-of-${point}-program`,
		needs: ['device', point],
		targets: fixtures,
		deadlineMs: 10_000,
		async run(context) {
			const callers = await traceCallers(context, depth);
			const probe = await attachTailCall(context, point, 'record');
			const result = await context.call({in: input, ret: output, stack, depth});
			const [event, ...more] = await context.events();
			assert.ok(event, 'the called program did not run');
			assert.equal(more.length, 0, 'it ran once');
			assert.equal(Number(event.cookie), probe.cookie, 'cookie');
			checkPlace(event, result);
			sameRegisters(context, 'entry registers in the extension block', {expected: result.in, seen: event.entry});
			assert.deepEqual(event.stack.slice(0, 2), stack, '7th and 8th argument in the extension block');
			await checkStack(context, event, callers);
			onlyHits(await probe.info(), 1);
		},
	});

export const tailCallCases = [
	defineCase({
		id: 'return/tail-call-after-an-interrupt',
		needs: ['return', 'device'],
		deadlineMs: 10_000,
		async run(context) {
			const probes = [];
			for (const name of ['fx_tail_interrupted', 'fx_asm_fentry', 'fx_left'])
				probes.push(await context.attach({point: 'return', program: 'count', at: await context.address(name)}));
			const address = await context.address('fx_tail_interrupted');
			for (let n = 0; n < 20; n++) {
				const {after} = await context.call({target: 'address', address, in: input, ret: output});
				assert.equal(after.ax, output.ax, 'the return value, at the caller of the function that jumped');
			}
			// The calls in the interrupts end without a return.
			for (const [n, hits] of [20, 20, 0].entries()) onlyHits(await probes[n]!.info(), hits);
			assert.equal(await framesInFlight(context), 0, 'frames in flight');
		},
	}),
	sameAsCalledDirectly('entry'),
	sameAsCalledDirectly('return'),
	defineCase({
		id: 'multi/tail-call-of-a-program-without-helpers',
		needs: ['device'],
		targets: fixtures,
		deadlineMs: 10_000,
		async run(context) {
			for (const point of context.points) {
				const probe = await attachTailCall(context, point, 'empty');
				const result = await context.call({in: input, ret: output, stack, depth});
				if (context.target.startsWith('asm'))
					sameRegisters(context, 'found by the caller', {expected: result.ret, seen: result.after});
				onlyHits(await probe.info(), 1);
				await probe.close();
			}
		},
	}),
	defineCase({
		id: 'multi/program-that-only-reads-registers',
		needs: ['device'],
		targets: fixtures,
		deadlineMs: 10_000,
		async run(context) {
			for (const [point, register] of context.points.flatMap(each => [[each, 'ax'] as const, [each, 'r15'] as const])) {
				const probe = await context.attach({point, program: `read_${register}`});
				// Twice with other values: those of an earlier call must not be found.
				for (const [before, ret] of [
					[input, output],
					[output, input],
				] as const) {
					await context.ask('reset', {});
					const call = await context.call({in: before, ret});
					const {result} = await context.ask('counters', {cookie: 0});
					const expected = point === 'entry' ? call.in : call.after;
					assert.equal(result, expected[register], `${register} at ${point}`);
				}
				await probe.close();
			}
		},
	}),
];

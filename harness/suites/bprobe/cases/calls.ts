// SPDX-License-Identifier: GPL-2.0
import type {Call, CallResult, Point, ProgramEvent, ProgramName, TargetName} from '../agent-protocol.ts';
import {assert} from '../assert.ts';
import type {CaseContext, Probe, TargetKind} from '../case.ts';
import {hex, onlyHits, pattern} from './registers.ts';

export const everywhere: readonly TargetKind[] = ['asm', 'asm-fentry', 'c', 'vmlinux'];
export const fixtures: readonly TargetKind[] = ['asm', 'asm-fentry', 'c'];
export const assembly: readonly TargetKind[] = ['asm', 'asm-fentry'];

/** The function that jumps to an assembly target: its name for calls, and its symbol. */
export function tailOf(target: TargetKind): readonly [TargetName, string] {
	return target === 'asm' ? ['tail', 'fx_tail'] : ['tail-fentry', 'fx_tail_fentry'];
}

/** The registers set by the caller, those set by the target, and the 7th and 8th argument. */
export const input = pattern(1);
export const output = pattern(2);
export const stack = [hex(0x7777_0000_0000_0007n), hex(0x8888_0000_0000_0008n)] as const;

/** A call, deep in the stack, that ends without a return that a return probe can see. */
export const bypassed = {in: input, ret: output, stack, action: 'bypass', depth: 8} as const;

/** Makes one call with one probe; resolves with the event of the program and the result of the call. */
export async function callProbed(
	context: CaseContext,
	point: Point,
	call: Call = {},
): Promise<{event: ProgramEvent; result: CallResult}> {
	const probe = await context.attach({point});
	const result = await context.call({in: input, ret: output, stack, ...call});
	const events = await context.events();
	assert.equal(events.length, 1, 'runs of the program');
	onlyHits(await probe.info(), 1);
	return {event: events[0]!, result};
}

/** Makes 20 calls. The program must run once within each, in the calling task, without misses. */
export async function calledOnceEach(context: CaseContext, point: Point): Promise<void> {
	const probe = await context.attach({point});
	const calls: CallResult[] = [];
	for (let n = 0; n < 20; n++) calls.push(await context.call({in: {...input, di: hex(n)}, ret: output}));
	const events = await context.events();
	assert.deepEqual(
		events.map(({tid}) => tid),
		calls.map(({pid}) => pid),
		'the tasks in which the program ran',
	);
	if (point === 'entry' || context.claims('arguments-at-return')) {
		assert.deepEqual(
			events.map(({regs, entry}) => (point === 'entry' ? regs.di : entry.di)),
			calls.map((_, n) => hex(n)),
			'the first arguments that the program saw',
		);
	}
	for (const [n, {timeNs}] of events.entries()) {
		assert.ok(
			BigInt(timeNs) >= BigInt(calls[n]!.beginNs) && BigInt(timeNs) <= BigInt(calls[n]!.endNs),
			`run ${n} was not within its call`,
		);
	}
	onlyHits(await probe.info(), 20);
}

/** The program must see the function, the address of the return-address slot, and the real return address in it. */
export function checkPlace(event: ProgramEvent, result: CallResult): void {
	assert.deepEqual(
		{ip: event.regs.ip, function: event.function, sp: event.regs.sp, atSlot: event.slot, caller: event.caller},
		{
			ip: result.function,
			function: result.function,
			sp: hex(BigInt(result.sp) - 8n),
			atSlot: result.caller,
			caller: result.caller,
		},
		'where the program ran, and whom the function returns to',
	);
}

/** Attaches to the target at each point of the mechanism in turn, `count` times. */
export async function attachInTurn(
	context: CaseContext,
	count: number,
	program: (point: Point) => ProgramName = () => 'record',
): Promise<readonly (Probe & {readonly point: Point})[]> {
	const probes = [];
	for (let n = 0; n < count; n++) {
		const point = context.points[n % context.points.length]!;
		probes.push({...(await context.attach({point, program: program(point)})), point});
	}
	return probes;
}

/** The program that checks every register of a loop's calls at a point. */
export function verifier(point: Point): ProgramName {
	return point === 'entry' ? 'verify_entry' : 'verify_return';
}

/** Runs a command in tracefs, which must succeed. */
export async function inTracefs(context: CaseContext, command: string): Promise<string> {
	const {code, stdout, stderr} = await context.exec(`cd /sys/kernel/tracing && ${command}`);
	assert.equal(code, 0, `${command}: ${stderr}`);
	return stdout;
}

// SPDX-License-Identifier: GPL-2.0
import type {Hex, ProgramEvent} from '../agent-protocol.ts';
import {assert} from '../assert.ts';
import type {CaseContext} from '../case.ts';

/**
 * The return addresses above a target called at `depth`. The target itself records them while nothing is probed; for a
 * vmlinux function fx_asm_fentry does, which is called from the same place.
 */
export async function traceCallers(context: CaseContext, depth: number): Promise<readonly Hex[]> {
	const target = context.target === 'vmlinux' ? 'asm-fentry' : context.target;
	const {trace, caller} = await context.ask('call', {target, depth, traceStack: true});
	assert.equal(trace[0], caller, 'the trace starts at the caller');
	assert.ok(trace.length > depth + 2, `a trace of ${trace.length} entries`);
	return trace;
}

/**
 * The stack seen by the program must be the function, then exactly these callers. Other mechanisms than bprobe may name
 * the function by another address, or leave it out.
 */
export async function checkStack(context: CaseContext, event: ProgramEvent, callers: readonly Hex[]): Promise<void> {
	assert.ok(Array.isArray(event.callStack), `bpf_get_stackid failed: ${String(event.callStack)}`);
	// Array.isArray does not narrow a readonly array.
	const whole = event.callStack as readonly Hex[];
	const seen = context.claims('device') ? whole : await withoutFunction(context, event, whole);
	// Frame-pointer unwinding starts at the caller's frame and so omits the direct caller, for every kind of probe. The
	// extension block has it.
	const isLeftOut =
		context.claims('device') &&
		(context.hasOption('CONFIG_UNWINDER_FRAME_POINTER') || context.hasOption('CONFIG_FRAME_POINTER_UNWINDER'));
	const expected = [event.function, ...(isLeftOut ? callers.slice(1) : callers)];
	if (context.claims('device')) assert.equal(event.caller, callers[0], 'the direct caller in the extension block');
	if (JSON.stringify(seen) === JSON.stringify(expected)) return;
	const {names} = await context.ask('names', {addresses: [...expected, ...seen]});
	const evidence = {expected: names.slice(0, expected.length), seen: names.slice(expected.length)};
	context.evidence('callStack', evidence);
	assert.deepEqual(evidence.seen, evidence.expected, 'the call stack, by names');
	assert.deepEqual(seen, expected, 'the call stack, by addresses');
}

/** The same stack, which begins with the address of the function: the first entry lies in it, or it was left out. */
async function withoutFunction(
	context: CaseContext,
	{function: address}: ProgramEvent,
	stack: readonly Hex[],
): Promise<readonly Hex[]> {
	const {names} = await context.ask('names', {addresses: [address, stack[0]!]});
	const [own, first] = names.map(name => name.replace(/\+0x\w+/, ''));
	return [address, ...stack.slice(own === first ? 1 : 0)];
}

// SPDX-License-Identifier: GPL-2.0
import type {KernelFacts} from '../../../engine/case.ts';
import type {CallResult, TargetName} from '../agent-protocol.ts';
import {assert} from '../assert.ts';
import {type Case, type CaseContext, defineCase} from '../case.ts';
import {targetSymbols} from '../context.ts';
import {isBefore} from '../kernel-release.ts';
import {input, inTracefs, output, stack} from './calls.ts';
import {keptByC, onlyHits, sameForCaller} from './registers.ts';
import {framesInFlight, waitUntilWaiting} from './tasks.ts';
import {tidily} from './tidily.ts';

/** Another mechanism that comes between a function and its caller. */
export type Peer = {
	readonly name: string;
	/** The kernel option that it needs; without it the case is skipped. */
	readonly option: string;
	/** The first release that has it for the fixtures, if not every one with the option. */
	readonly since?: readonly [major: number, minor: number];
	/** Resolves with what removes it. */
	add(context: CaseContext, symbol: string): Promise<() => Promise<unknown>>;
};

/** Mechanisms that replace return addresses, and so may save the address of bprobe's trampoline. */
export const peers: readonly Peer[] = [
	{
		name: 'kretprobe',
		option: 'CONFIG_KPROBE_EVENTS',
		add: inTracefsBy(
			symbol => `echo 'r:pm_unload ${symbol}' >> kprobe_events && echo 1 > events/kprobes/pm_unload/enable`,
			`echo 0 > events/kprobes/pm_unload/enable && echo '-:pm_unload' >> kprobe_events`,
		),
	},
	{
		name: 'function-graph',
		option: 'CONFIG_FUNCTION_GRAPH_TRACER',
		add: inTracefsBy(
			symbol => `echo ${symbol} > set_ftrace_filter && echo function_graph > current_tracer`,
			'echo nop > current_tracer && echo > set_ftrace_filter',
		),
	},
	{
		name: 'fprobe',
		option: 'CONFIG_FPROBE_EVENTS',
		add: inTracefsBy(
			symbol => `echo 'f:pm_unload ${symbol}%return' >> dynamic_events && echo 1 > events/fprobes/pm_unload/enable`,
			`echo 0 > events/fprobes/pm_unload/enable && echo '-:pm_unload' >> dynamic_events`,
		),
	},
];

function inTracefsBy(add: (symbol: string) => string, remove: string): Peer['add'] {
	return async (context, symbol) => {
		await inTracefs(context, add(symbol));
		return () => inTracefs(context, remove);
	};
}

/** Calls the function from a trampoline of its own, and returns to the caller by the address on the stack. */
const fexit: Peer = {
	name: 'fexit',
	option: 'CONFIG_DEBUG_INFO_BTF_MODULES',
	// Before that, no function with more than six arguments.
	since: [6, 6],
	async add(context, symbol) {
		const address = await context.address(symbol);
		const request = {mechanism: 'tracing', program: 'count', point: 'return', address, cookie: 999} as const;
		const {hook} = await context.ask('hook', request);
		return () => context.ask('unhook', {hook});
	},
};

/** Tries to remove the module; false if it is in use. */
export async function unloads(context: CaseContext): Promise<boolean> {
	try {
		await context.ask('rmmod', {module: 'bprobe'});
		return true;
	} catch (error) {
		assert.equal((error as {errno?: string}).errno, 'EAGAIN', 'why the module stays');
		return false;
	}
}

/** Removes the module as soon as it is unused, at most until the case's deadline. */
export async function unloadSoon(context: CaseContext): Promise<void> {
	while (!(await unloads(context))) {
		context.signal.throwIfAborted();
		await context.during(50);
	}
}

type Order = {
	/** Which one attaches first. Whose hook runs first in a call depends on this and on the kernel. */
	readonly comes: 'ours' | 'peer';
	/** Which of them are removed before the call returns, and in which order. */
	readonly goes: readonly ('ours' | 'peer')[];
};

const orders: readonly Order[] = (['ours', 'peer'] as const).flatMap(comes => [
	{comes, goes: ['ours']},
	{comes, goes: ['ours', 'peer']},
	{comes, goes: ['peer', 'ours']},
]);

type Call = {
	readonly target: TargetName;
	/** The probed functions, which share a return address. */
	readonly ours: string;
	readonly theirs: string;
	readonly unprobed: CallResult;
};

/** Removes the hooks while a task sleeps in a hooked call; true if bprobe had to stay until the call returned. */
async function unloadAround(
	context: CaseContext,
	peer: Peer,
	{comes, goes}: Order,
	{target, ours, theirs, unprobed}: Call,
): Promise<boolean> {
	let remove: (() => Promise<unknown>) | undefined;
	const addPeer = async () => {
		remove = await peer.add(context, theirs);
	};
	const removePeer = async () => {
		await remove?.();
		remove = undefined;
	};
	let isLoaded = true;
	return await tidily(
		async () => {
			if (comes === 'peer') {
				await context.ask('rmmod', {module: 'bprobe'});
				isLoaded = false;
				await addPeer();
				await context.ask('insmod', {module: 'bprobe'});
				isLoaded = true;
			}
			const probe = await context.attach({point: 'return', program: 'count', at: await context.address(ours)});
			if (comes === 'ours') await addPeer();
			const {task} = await context.ask('callInTask', {target, action: 'wait', in: input, ret: output, stack});
			await waitUntilWaiting(context, 1);
			for (const who of goes) {
				if (who === 'peer') {
					await removePeer();
				} else {
					await probe.close();
					isLoaded = !(await unloads(context));
				}
			}
			const wasRefused = isLoaded;
			if (isLoaded) {
				// The module has looked again by then, after 50 and 100 ms.
				await context.during(300);
				assert.equal(await unloads(context), false, 'whether it unloads while the other tracer holds the call');
			}
			const later = isLoaded ? await callWhileKept(context) : undefined;
			await context.ask('release', {});
			const {result, signal} = await context.ask('taskWait', {task, timeoutMs: 5000});
			assert.ok(result, `the call must return, but the task was ended by ${signal}`);
			sameForCaller(context, result, {unprobed, names: keptByC});
			// Its close finds the module unused while the module still means to look again.
			await later?.();
			if (isLoaded) await unloadSoon(context);
			isLoaded = false;
			return wasRefused;
		},
		async () => {
			await removePeer();
			if (!isLoaded) await context.ask('insmod', {module: 'bprobe'});
		},
	);
}

/** Attaches and calls while the module waits for another call. Resolves with what checks the call after its release. */
async function callWhileKept(context: CaseContext): Promise<() => Promise<void>> {
	const probe = await context.attach({point: 'return', program: 'count', at: await context.address('fx_asm')});
	const {task} = await context.ask('callInTask', {target: 'asm', action: 'wait', in: input, ret: output, stack});
	await waitUntilWaiting(context, 2);
	// The module looks again after 50 ms, and later less often.
	await context.during(300);
	return async () => {
		const {result} = await context.ask('taskWait', {task, timeoutMs: 5000});
		assert.equal(
			result?.after.ax,
			output.ax,
			'the return value of a call that began while the module waited for another',
		);
		onlyHits(await probe.info(), 1);
		await probe.close();
	};
}

export function missing({name, option, since}: Peer, kernel: KernelFacts): string | undefined {
	if (!kernel.hasOption(option)) return `The kernel is built without ${option}.`;
	if (since && isBefore(kernel, ...since)) return `Linux has ${name} for the target since ${since.join('.')}.`;
	return undefined;
}

/** Tries all orders; resolves with those in which the module had to stay. */
async function unloadInAllOrders(
	context: CaseContext,
	peer: Peer,
	call: Omit<Call, 'unprobed'>,
): Promise<readonly string[]> {
	const unprobed = await context.call({target: call.target, in: input, ret: output, stack});
	const refused: Record<string, boolean> = {};
	for (const order of orders) {
		const words = `${order.comes} attached first, removed in order: ${order.goes.join(', ')}`;
		refused[words] = await unloadAround(context, peer, order, {...call, unprobed});
		context.evidence('refused', refused);
	}
	// No state is left, and a new probe works.
	const probe = await context.attach({point: 'return', program: 'count'});
	await context.call({in: input, ret: output});
	onlyHits(await probe.info(), 1);
	assert.equal(await framesInFlight(context), 0, 'frames in flight');
	return Object.keys(refused).filter(words => refused[words]);
}

/** In at least one order, the other mechanism must have saved the address of the trampoline. */
async function unloadBeside(...args: Parameters<typeof unloadInAllOrders>): Promise<void> {
	const [context] = args;
	if ((await unloadInAllOrders(...args)).length === 0)
		context.inconclusive('In no order did the other mechanism hook the call after bprobe.');
}

async function unloadBesideFexit(context: CaseContext, symbol: string): Promise<void> {
	const call = {target: context.target as TargetName, ours: symbol, theirs: symbol};
	assert.deepEqual(await unloadInAllOrders(context, fexit, call), [], 'orders in which fexit held our address');
}

/**
 * A mechanism that hooks a call after bprobe saves the address of bprobe's trampoline as the return address, and only
 * that mechanism can change the copy. The module must stay until such a call has returned. Without such a call it can
 * be unloaded at once.
 */
export const unloadBesideCases: readonly Case[] = [
	...peers.map(peer =>
		defineCase({
			id: `return/unload-beside-${peer.name}`,
			needs: ['return', 'device'],
			missing: kernel => missing(peer, kernel),
			targets: ['c'],
			deadlineMs: 40_000,
			async run(context) {
				const symbol = targetSymbols[context.target];
				await unloadBeside(context, peer, {target: context.target as TargetName, ours: symbol, theirs: symbol});
			},
		}),
	),
	defineCase({
		id: 'return/unload-beside-fexit',
		needs: ['return', 'device'],
		missing: kernel => missing(fexit, kernel),
		targets: ['c'],
		deadlineMs: 40_000,
		run: context => unloadBesideFexit(context, targetSymbols[context.target]),
	}),
	// The waiting call of the target is in a call of it. Its one argument does for the first kernels with fexit.
	defineCase({
		id: 'return/unload-beside-fexit-of-a-system-call',
		needs: ['return', 'device'],
		missing: kernel => missing({...fexit, option: 'CONFIG_DEBUG_INFO_BTF', since: [5, 5]}, kernel),
		targets: ['c'],
		deadlineMs: 40_000,
		run: context => unloadBesideFexit(context, '__x64_sys_ioctl'),
	}),
	// A function that ends in a tail call leaves its return address to the next one, where others find it much later.
	...peers.map(peer =>
		defineCase({
			id: `return/unload-beside-${peer.name}-of-a-tail-call`,
			needs: ['return', 'device'],
			missing: kernel => missing(peer, kernel),
			targets: ['asm-fentry'],
			deadlineMs: 40_000,
			async run(context) {
				const call = {target: 'tail-fentry', ours: 'fx_tail_fentry', theirs: 'fx_asm_fentry'} as const;
				await unloadBeside(context, peer, call);
			},
		}),
	),
];

// SPDX-License-Identifier: GPL-2.0
/** Where the instructions of a hit go, for bench.ts: one call with a probe, stepped through, minus one without. */
import {setTimeout as sleep} from 'node:timers/promises';
import type {Point} from '../harness/suites/bprobe/agent-protocol.ts';
import type {Instance} from '../harness/vm/instance.ts';

/** Instructions by function, in the order in which a call reaches the functions. */
type Passed = ReadonlyMap<string, number>;
type Symbol = {readonly address: bigint; readonly name: string; readonly module: string | undefined};

/** Instructions that a probe with an empty program adds to a call of fx_asm_fentry, by function. */
export async function instructionsByFunction(
	guest: Pick<Instance, 'agent' | 'vm' | 'link'>,
	point: Point,
): Promise<Passed> {
	const {agent, vm} = guest;
	const {prog} = await agent.call('load', {program: 'empty'});
	const address = (await agent.call('symbols', {names: ['fx_asm_fentry']})).addresses.fx_asm_fentry![0]!;
	const ended = async () => (await agent.call('counts', {})).ended['asm-fentry'];
	const trace = async (): Promise<readonly bigint[]> => {
		// The first calls take other ways: they find no frame that is free on their CPU.
		const warm = (await ended()) + 100;
		const {job} = await agent.call('startLoop', {target: 'asm-fentry', context: 'task', seed: '0x1'});
		while ((await ended()) < warm) await sleep(100);
		const passed = await vm.traceCall(address);
		await agent.call('stopJob', {job});
		return passed;
	};
	const without = await trace();
	const {probe} = await agent.call('attach', {prog, point, address});
	const probed = await trace();
	// Before the close: it may free code that was passed.
	const names = await Names.read(guest);
	await agent.call('close', {probe});
	await agent.call('unload', {prog});
	return minus(count(probed, names), count(without, names));
}

/** A table for people, with the sum of its rows. */
export function tableOf(point: Point, passed: Passed): string {
	const sum = passed.values().reduce((total, each) => total + each, 0);
	const rows = [...passed, ['in all', sum] as const].map(([name, each]) => `${String(each).padStart(8)}  ${name}\n`);
	return `instructions of one ${point}, by function\n${rows.join('')}`;
}

function count(passed: readonly bigint[], names: Names): Passed {
	const counts = new Map<string, number>();
	let last = '';
	for (const address of passed) {
		const name = names.nameOf(address) ?? (last.startsWith('code') ? last : `code without a name, from ${last}`);
		counts.set(name, (counts.get(name) ?? 0) + 1);
		last = name;
	}
	return counts;
}

function minus(passed: Passed, others: Passed): Passed {
	const left = [...passed].map(([name, each]) => [name, each - (others.get(name) ?? 0)] as const);
	return new Map(left.filter(([, each]) => each !== 0));
}

/** Names of functions in a guest. */
class Names {
	readonly #sorted: readonly Symbol[];

	static async read(guest: Pick<Instance, 'link'>): Promise<Names> {
		const {stdout} = await (await guest.link()).exec('cat /proc/kallsyms');
		const found = stdout.matchAll(/^([0-9a-f]{16}) [tTwW] (\S+)(?:\t\[(\w+)\])?$/gm);
		return new Names(
			[...found].map(([, address, name, module]) => ({address: BigInt(`0x${address}`), name: name!, module})),
		);
	}

	private constructor(symbols: readonly Symbol[]) {
		this.#sorted = symbols.toSorted((a, b) => (a.address < b.address ? -1 : a.address > b.address ? 1 : 0));
	}

	/**
	 * Symbols have no sizes here. Trampolines of ftrace and programs have pages of their own behind modules, and not
	 * each kernel names them: the last symbol of a module ends with its page.
	 */
	nameOf(address: bigint): string | undefined {
		const next = this.#sorted.findIndex(symbol => symbol.address > address);
		const found = this.#sorted.at(next === -1 ? -1 : next - 1);
		if (!found) return undefined;
		const isLast = next === -1 || this.#sorted[next]!.module !== found.module;
		return isLast && found.address >> 12n !== address >> 12n ? undefined : found.name;
	}
}

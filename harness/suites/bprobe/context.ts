// SPDX-License-Identifier: GPL-2.0
import assert from 'node:assert/strict';
import type {OpenedCell} from '../../engine/suite.ts';
import type {Guest} from '../../guest/guest.ts';
import type {Hex} from '../../link/agent-protocol.ts';
import type {ProgramName} from './agent-protocol.ts';
import type {CaseContext, Probe, TargetKind} from './case.ts';
import type {ProbeMechanism} from './mechanism-bprobe.ts';

/** The symbol that a case of this target kind probes and that `call` calls. */
export const targetSymbols: Readonly<Record<TargetKind, string>> = {
	asm: 'fx_asm',
	'asm-fentry': 'fx_asm_fentry',
	c: 'fx_c',
	vmlinux: 'mktime64',
};

type Added = Pick<CaseContext, 'target' | 'ask' | 'address' | 'attach' | 'load' | 'call' | 'events' | 'start'>;

/** What bprobe adds to the context of a case. */
export function openBprobeContext({ask: askGuest, addresses, undo, ...opened}: OpenedCell): Added {
	const mechanism = opened.mechanism as ProbeMechanism;
	const target = (opened.target ?? 'asm-fentry') as TargetKind;
	const programs = new Map<ProgramName, number>();
	let lastCookie = 0;
	const ask: Guest['ask'] = (op, request) => {
		if ('module' in request && request.module === 'fixtures') addresses.clear();
		return askGuest(op, request);
	};
	const added: Added = {
		target,
		ask,
		async address(symbol) {
			const known = addresses.get(symbol);
			if (known) return known;
			const found = (await ask('symbols', {names: [symbol]})).addresses[symbol] ?? [];
			assert.equal(found.length, 1, `${symbol} exists ${found.length} times in this kernel`);
			addresses.set(symbol, found[0]!);
			return found[0]!;
		},
		async load(program) {
			const known = programs.get(program);
			if (known !== undefined) return known;
			const {prog} = await ask('load', {program});
			programs.set(program, prog);
			undo(() => ask('unload', {prog}));
			return prog;
		},
		async attach({point, program = 'record', at}) {
			const prog = typeof program === 'number' ? program : await added.load(program);
			const address = at ?? (await added.address(targetSymbols[target]));
			const cookie = ++lastCookie;
			const handle = await mechanism.attach(ask, {prog, point, address, cookie});
			let closed: Promise<Hex> | undefined;
			const probe: Probe = {
				handle,
				cookie,
				info: () => mechanism.info(ask, handle),
				close: () => (closed ??= mechanism.detach(ask, handle)),
			};
			undo(() => probe.close());
			return probe;
		},
		async call(call = {}) {
			if (target !== 'vmlinux') return ask('call', {target: target, ...call});
			return ask('call', {target: 'address', address: await added.address(targetSymbols.vmlinux), ...call});
		},
		async events(filter) {
			const {events, lost} = await ask('events', {});
			assert.equal(lost, 0, `${lost} events were lost because the buffer was full`);
			return filter ? events.filter(event => BigInt(event.ext.cookie) === BigInt(filter.cookie)) : events;
		},
		async start(op, request) {
			const {job} = await ask(op, request);
			let report: Promise<Awaited<ReturnType<typeof stopJob>>> | undefined;
			const stopJob = () => ask('stopJob', {job});
			const stop = () => (report ??= stopJob());
			undo(stop);
			return {stop};
		},
	};
	return added;
}

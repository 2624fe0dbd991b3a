// SPDX-License-Identifier: GPL-2.0
import type {OpenedCell} from '../../engine/suite.ts';
import type {Guest} from '../../guest/guest.ts';
import type {Hex} from '../../link/agent-protocol.ts';
import type {Call, Point, ProgramName, Registers} from './agent-protocol.ts';
import {assert} from './assert.ts';
import type {CaseContext, Feature, Probe, TargetKind} from './case.ts';
import type {ProbeMechanism} from './mechanisms/mechanism.ts';

/** The symbol that a case of this target kind probes and that `call` calls. */
export const targetSymbols: Readonly<Record<TargetKind, string>> = {
	asm: 'fx_asm',
	'asm-fentry': 'fx_asm_fentry',
	c: 'fx_c',
	vmlinux: 'mktime64',
};

/** What a mechanism must claim to probe these symbols. */
export const targetNeeds: Readonly<Record<TargetKind, readonly Feature[]>> = {
	asm: ['without-fentry', 'without-btf', 'modules'],
	'asm-fentry': ['without-btf', 'modules'],
	c: ['modules', 'eight-arguments'],
	vmlinux: [],
};

type Added = Pick<
	CaseContext,
	| 'target'
	| 'points'
	| 'claims'
	| 'has'
	| 'ask'
	| 'address'
	| 'attach'
	| 'load'
	| 'call'
	| 'events'
	| 'churned'
	| 'start'
>;

/** The same registers for calls with and without a probe; the fixtures clear the flag only while there is one. */
function withoutDirectionFlag({in: input, ret, ...call}: Call): Call {
	return {...call, ...(input && {in: clear(input)}), ...(ret && {ret: clear(ret)})};
}

function clear(registers: Partial<Registers>): Partial<Registers> {
	const {flags} = registers;
	return flags === undefined ? registers : {...registers, flags: `0x${(BigInt(flags) & ~0x400n).toString(16)}`};
}

/** What bprobe adds to the context of a case. */
export function openBprobeContext({ask: askGuest, addresses, undo, context, ...opened}: OpenedCell): Added {
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
		points: (['entry', 'return'] as const satisfies readonly Point[]).filter(point => mechanism.features.has(point)),
		claims: feature => mechanism.features.has(feature),
		has: feature => mechanism.features.has(feature) && mechanism.missing?.(context, [feature]) === undefined,
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
		async attach({point, program = 'record', at, sharing, maxactive}) {
			const address = at ?? (await added.address(targetSymbols[target]));
			const cookie = ++lastCookie;
			const {load, has} = added;
			const {handle, info, detach} = await mechanism.attach(ask, {
				program,
				point,
				address,
				cookie,
				load,
				has,
				...(sharing && {sharing: sharing.handle}),
				...(maxactive !== undefined && {maxactive}),
			});
			let closed: Promise<Hex> | undefined;
			const where = at === undefined ? targetSymbols[target] : address;
			const what = `probe ${cookie} (${program} at the ${point} of ${where})`;
			const probe: Probe = {
				...{handle, cookie, what},
				info: async () => ({...(await info()), of: what}),
				close: () => (closed ??= detach()),
			};
			undo(() => probe.close());
			return probe;
		},
		async call(call = {}) {
			const allowed = added.claims('direction-flag') ? call : withoutDirectionFlag(call);
			if (target !== 'vmlinux') return ask('call', {target: target, ...allowed});
			return ask('call', {target: 'address', address: await added.address(targetSymbols.vmlinux), ...allowed});
		},
		async events(filter) {
			const {events, lost} = await ask('events', {});
			assert.equal(lost, 0, `${lost} events were lost because the buffer was full`);
			return filter ? events.filter(event => BigInt(event.cookie) === BigInt(filter.cookie)) : events;
		},
		async churned(program) {
			assert.ok(mechanism.churned, `${mechanism.id} has no programs that can be churned`);
			return mechanism.churned({program, load: added.load, has: added.has});
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

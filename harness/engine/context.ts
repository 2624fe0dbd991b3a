import assert from 'node:assert/strict';
import {setTimeout as sleep} from 'node:timers/promises';
import type {Ask, ExecResult, GuestFile} from '../guest/guest.ts';
import type {Hex, ProgramName} from '../link/agent-protocol.ts';
import {type CaseContext, InconclusiveCase, type Probe, SkipCase, type TargetKind} from './case.ts';
import type {Cell} from './plan.ts';

/** The symbol that a case of this target kind probes and that `call` calls. */
export const targetSymbols: Readonly<Record<TargetKind, string>> = {
	asm: 'fx_asm',
	'asm-fentry': 'fx_asm_fentry',
	c: 'fx_c',
	vmlinux: 'mktime64',
};

export type ContextOptions = {
	readonly cell: Cell;
	readonly ask: Ask;
	readonly exec: (command: string) => Promise<ExecResult>;
	readonly push: (file: GuestFile) => Promise<void>;
	readonly release: string;
	readonly hasOption: (option: string) => boolean;
	/** Symbol addresses that the guest keeps across cells; emptied when the fixtures are loaded or unloaded. */
	readonly addresses: Map<string, Hex>;
	readonly signal: AbortSignal;
	/** How many times slower the guest is than the guests that deadlines assume. */
	readonly slowness: number;
	readonly isEmulated: boolean;
};

/** The context of one cell, its evidence so far, and a function that undoes its changes, the last one first. */
export function openContext({
	cell,
	ask: askGuest,
	exec,
	push,
	release,
	hasOption,
	addresses,
	signal,
	slowness,
	isEmulated,
}: ContextOptions): {
	context: CaseContext;
	evidence: Record<string, unknown>;
	close: () => Promise<void>;
} {
	const evidence: Record<string, unknown> = {};
	const undo: (() => Promise<unknown>)[] = [];
	const programs = new Map<ProgramName, number>();
	let lastCookie = 0;
	const ask: Ask = (op, request) => {
		if ('module' in request && request.module === 'fixtures') addresses.clear();
		return askGuest(op, request);
	};

	const context: CaseContext = {
		target: cell.targetKind,
		ask,
		signal,
		exec,
		push,
		release,
		hasOption,
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
			undo.push(() => ask('unload', {prog}));
			return prog;
		},
		async attach({point, program = 'record', at}) {
			const prog = typeof program === 'number' ? program : await context.load(program);
			const address = at ?? (await context.address(targetSymbols[cell.targetKind]));
			const cookie = ++lastCookie;
			const handle = await cell.mechanismUsed.attach(ask, {prog, point, address, cookie});
			let closed: Promise<Hex> | undefined;
			const probe: Probe = {
				handle,
				cookie,
				info: () => cell.mechanismUsed.info(ask, handle),
				close: () => (closed ??= cell.mechanismUsed.detach(ask, handle)),
			};
			undo.push(() => probe.close());
			return probe;
		},
		async call(call = {}) {
			if (cell.targetKind !== 'vmlinux') return ask('call', {target: cell.targetKind, ...call});
			return ask('call', {target: 'address', address: await context.address(targetSymbols.vmlinux), ...call});
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
			undo.push(stop);
			return {stop};
		},
		evidence(name, value) {
			evidence[name] = value;
		},
		isEmulated,
		async during(ms) {
			await sleep(ms * slowness, undefined, {signal});
		},
		skip(reason) {
			throw new SkipCase(reason);
		},
		inconclusive(reason) {
			throw new InconclusiveCase(reason);
		},
	};

	return {
		context,
		evidence,
		async close() {
			const errors: unknown[] = [];
			for (const step of undo.reverse()) {
				try {
					await step();
				} catch (error) {
					errors.push(error);
				}
			}
			if (errors.length > 0) throw errors[0];
		},
	};
}

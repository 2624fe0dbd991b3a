// SPDX-License-Identifier: GPL-2.0
/** What probes cost by each mechanism, for bench.ts: instructions, lost calls, time and memory of attaching. */
import type {GuestBuild} from '../harness/build/guest-build.ts';
import {chooseMechanisms} from '../harness/engine/plan.ts';
import {builtInOptions} from '../harness/kernels/built-in.ts';
import type {MeasurementEvent} from '../harness/results/run/events.ts';
import {median} from '../harness/results/run/statistics.ts';
import type {Hex, Point, ProgramName} from '../harness/suites/bprobe/agent-protocol.ts';
import {bprobeSuite} from '../harness/suites/bprobe/suite.ts';
import {Instance} from '../harness/vm/instance.ts';
import {loadSuite} from '../harness/vm/load-suite.ts';
import {nsPerCall} from './bench-calls.ts';

type Row = Omit<MeasurementEvent, 'type' | 'kernel'>;
type Agent = Instance['agent'];

/** A mechanism at a point that it can probe. */
type Way = {
	readonly id: string;
	readonly by: 'bprobe' | 'kprobe' | 'kprobe-multi' | 'tracing' | 'ftrace';
	readonly point: Point;
};
type Probe = {readonly tookNs: number; readonly links: number; close(): Promise<number>};

const interfaces: Readonly<Record<string, Way['by']>> = {
	bprobe: 'bprobe',
	kprobe: 'kprobe',
	kretprobe: 'kprobe',
	'kprobe-multi': 'kprobe-multi',
	fentry: 'tracing',
	fexit: 'tracing',
	ftrace: 'ftrace',
};

/** How many functions are attached to at once. The last ones only where one step attaches to all. */
const sizes = [1, 100, 1000, 10_000];
const mostSingly: Readonly<Record<Way['by'], number>> = {
	bprobe: 10_000,
	'kprobe-multi': 10_000,
	kprobe: 100,
	// libbpf loads a program for each function, which takes longer than to attach it.
	tracing: 100,
	ftrace: 1000,
};

/** Rows by mechanism and point. Ways that the kernel does not have are left out, and said on stderr. */
export async function* measureMechanisms(guestBuild: GuestBuild, asked: readonly string[]): AsyncGenerator<Row> {
	const ways = await waysOf(guestBuild, asked);
	{
		await using guest = await Instance.boot(guestBuild, {cpus: 1, countsInstructions: true, deadlineMs: 180_000});
		await loadSuite(guest, guestBuild);
		for (const way of ways) yield* measureHits(guest, way);
	}
	await using guest = await Instance.boot(guestBuild);
	await loadSuite(guest, guestBuild);
	for (const way of ways) yield* measureAttaching(guest, way);
}

async function waysOf({kernel}: GuestBuild, asked: readonly string[]): Promise<readonly Way[]> {
	const options = await builtInOptions(kernel);
	const facts = {release: kernel.release, hasOption: (option: string) => options.has(option)};
	return chooseMechanisms(bprobeSuite, asked).flatMap(({id, features, missing}) => {
		const reason = missing?.(facts, []);
		if (reason !== undefined) process.stderr.write(`bench: without ${id}: ${reason}\n`);
		const points = (['entry', 'return'] as const).filter(point => features.has(point));
		return reason === undefined ? points.map(point => ({id, by: interfaces[id]!, point})) : [];
	});
}

/** Instructions of a hit beyond those of a call without a probe, and calls per second that probes cost. */
async function* measureHits({agent}: Pick<Instance, 'agent'>, way: Way): AsyncGenerator<Row> {
	const address = await addressOf(agent, 'mktime64');
	const perCall = () => nsPerCall(agent, {target: 'address', address}, 3000);
	const without = await perCall();
	const rowOf = (what: string, unit: string, value: number): Row => ({
		what: `${way.id} ${way.point}: ${what}`,
		unit,
		values: [value],
	});
	for (const program of ['empty', 'read_all'] as const) {
		const probe = await attach(agent, way, program, [address]);
		const words = program === 'empty' ? 'instructions of an empty program' : 'instructions of one that reads all';
		yield rowOf(words, '', (await perCall()) - without);
		await probe.close();
	}
	for (const count of [1, 2, 64]) {
		// No more than 38 programs fit into one trampoline.
		if (way.by === 'tracing' && count > 38) continue;
		const probes: Probe[] = [];
		for (let n = 0; n < count; n++) probes.push(await attach(agent, way, 'empty', [address]));
		const lost = 1e9 / without - 1e9 / (await perCall());
		yield rowOf(`calls lost with ${count} on one function`, '/s', lost);
		for (const probe of probes) await probe.close();
	}
}

/** Time and memory of attaching to many functions. */
async function* measureAttaching(guest: Instance, way: Way): AsyncGenerator<Row> {
	const {agent} = guest;
	const {addresses} = await agent.call('match', {pattern: '*'});
	for (const size of sizes.filter(each => each <= mostSingly[way.by])) {
		const attached: number[] = [];
		const detached: number[] = [];
		const memory: number[] = [];
		for (let round = 0; round < (size < 1000 ? 5 : 1); round++) {
			const before = await availableKib(guest);
			const probe = await attach(agent, way, 'empty', addresses, size);
			memory.push(before - (await availableKib(guest)));
			attached.push(probe.tookNs / 1e6);
			detached.push((await probe.close()) / 1e6);
		}
		const rowOf = (what: string, unit: string, values: readonly number[]): Row => ({
			what: `${way.id} ${way.point}: ${what} ${size}`,
			unit,
			values: [median(values)],
		});
		yield rowOf('attach', 'ms', attached);
		yield rowOf('detach', 'ms', detached);
		if (size >= 100) yield rowOf('memory of', 'KiB', memory);
	}
}

/** Attaches to the first `most` of these functions, or to as many of them as can be attached to. */
async function attach(
	agent: Agent,
	{by, point}: Way,
	program: ProgramName,
	addresses: readonly Hex[],
	most = addresses.length,
): Promise<Probe> {
	if (by === 'ftrace') return traceEach(agent, program, addresses.slice(0, most));
	if (by !== 'bprobe') {
		const list = by === 'kprobe-multi' ? addresses.slice(0, most) : addresses;
		const {hook, links, tookNs} = await agent.call('hook', {
			mechanism: by,
			program,
			point,
			cookie: 1,
			addresses: list,
			...(most < addresses.length && by !== 'kprobe-multi' && {most}),
		});
		const close = async () => Number((await agent.call('unhook', {hook})).tookNs);
		return {links, tookNs: Number(tookNs), close};
	}
	const {prog} = await agent.call('load', {program});
	const answer = await agent.call('attachList', {prog, point, addresses: addresses.slice(0, most)});
	if (answer.probe === undefined) throw new Error(`bprobe attached to ${answer.failed} of ${most}: ${answer.errno}`);
	const {probe, tookNs} = answer;
	return {
		links: 1,
		tookNs: Number(tookNs),
		async close() {
			const begun = BigInt((await agent.call('counts', {})).nowNs);
			const {closedNs} = await agent.call('close', {probe});
			await agent.call('unload', {prog});
			return Number(BigInt(closedNs) - begun);
		},
	};
}

let lastCookie = 0;

/** The fixtures trace one function by each ftrace_ops; `empty` counts, other programs stand for keeping the registers. */
async function traceEach(agent: Agent, program: ProgramName, addresses: readonly Hex[]): Promise<Probe> {
	const cookies: number[] = [];
	const timed = async (work: () => Promise<unknown>) => {
		const begun = performance.now();
		await work();
		return (performance.now() - begun) * 1e6;
	};
	const tookNs = await timed(async () => {
		for (const address of addresses) {
			cookies.push(++lastCookie);
			await agent.call('trace', {address, cookie: lastCookie, keeps: program !== 'empty'});
		}
	});
	const close = () =>
		timed(async () => {
			for (const cookie of cookies) await agent.call('untrace', {cookie});
		});
	return {links: addresses.length, tookNs, close};
}

async function addressOf(agent: Agent, symbol: string): Promise<Hex> {
	return (await agent.call('symbols', {names: [symbol]})).addresses[symbol]![0]!;
}

async function availableKib(guest: Instance): Promise<number> {
	const link = await guest.link();
	// Freed memory comes back after grace periods.
	const {stdout} = await link.exec('sleep 1; grep MemAvailable /proc/meminfo');
	return Number(/\d+/.exec(stdout)![0]);
}

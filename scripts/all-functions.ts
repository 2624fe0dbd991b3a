// SPDX-License-Identifier: GPL-2.0
/**
 * Probes every function of vmlinux that is not refused, at entry and return, a thousand at a time, while the guest
 * works. With --minutes, then probes all at once for that long. A batch that kills the guest is halved until the
 * function is found. Hits are compared with what the fixtures count by their own ftrace_ops. Exits with 1 if anything is
 * wrong.
 *
 *   npx node scripts/all-functions.ts [kernel] [--minutes M] [--limit N] [--batch N] [--lists DIR]
 */
import {mkdir, readFile, writeFile} from 'node:fs/promises';
import path from 'node:path';
import {parseArgs} from 'node:util';
import {buildGuest} from '../harness/build/guest-build.ts';
import {findKernelReports} from '../harness/crash/crash-detector.ts';
import {obtainBootableKernel} from '../harness/guest/bootable-kernel.ts';
import {messageOf} from '../harness/host/errors.ts';
import {fallbackKernel} from '../harness/kernels/default-kernels.ts';
import type {Hex} from '../harness/link/agent-protocol.ts';
import {push} from '../harness/link/transfer.ts';
import {bprobeSuite} from '../harness/suites/bprobe/suite.ts';
import {Instance} from '../harness/vm/instance.ts';
import {loadSuite} from '../harness/vm/load-suite.ts';

const {positionals, values: options} = parseArgs({
	allowPositionals: true,
	options: {
		minutes: {type: 'string', default: '0'},
		/** Probe only this many functions, for a quick try. */
		limit: {type: 'string'},
		batch: {type: 'string', default: '1000'},
		lists: {type: 'string'},
	},
});
const kernel = positionals[0] ?? fallbackKernel;
const batchSize = Number(options.batch);
/** The workload takes seconds, but minutes with everything probed. */
const workloadMs = 20 * 60_000;

type Func = {readonly name: string; readonly address: Hex};
type Attached = Func & {readonly counts: readonly [number, number, number, number]};
/** `isCalm`: without what unloads the fixtures, which count. */
type Run = (options?: {isCalm?: boolean}) => Promise<void>;
type Worked = {readonly guest: Instance; readonly run: Run; readonly prog: number};
/** Functions with one probe on their entries and one on their returns. */
type Probed = {readonly functions: readonly Func[]; readonly probes: readonly number[]};

const guestBuild = await buildGuest(await obtainBootableKernel(kernel), bprobeSuite.content);
const problems: string[] = [];
let guest = await start();

const functions = await functionsOf(guest.guest);
/** By address, because a halved batch is attached again. */
const refused = new Map<Hex, {readonly name: string; readonly reason: string}>();
const eligible: Func[] = [];
for (const chunk of chunks(functions, batchSize)) {
	const {reasons} = await guest.guest.agent.call('check', {addresses: chunk.map(({address}) => address)});
	for (const [n, each] of chunk.entries()) {
		if (reasons[n]) refused.set(each.address, {name: each.name, reason: reasons[n]});
		else eligible.push(each);
	}
}
say(`${functions.length} functions, ${refused.size} refused`);

let counted: Attached[] = [];
const startedAt = performance.now();
for (const batch of chunks(eligible.slice(0, Number(options.limit ?? eligible.length)), batchSize)) {
	try {
		const done = await attach(guest, batch);
		await guest.run();
		counted.push(...(await count(guest, done)));
		await close(guest, done);
		await guest.run();
		say(`${counted.length} were probed after ${seconds(startedAt)} s`);
	} catch (error) {
		problems.push(`${complaint(guest, error)} with functions from ${batch[0]!.name} to ${batch.at(-1)!.name}`);
		await guest.guest[Symbol.asyncDispose]();
		const culprit = await findCulprit(batch);
		problems.push(culprit ? `it is ${culprit.name}` : 'none of them does it alone');
		guest = await start();
	}
}

if (problems.length === 0 && Number(options.minutes) > 0) {
	try {
		const began = performance.now();
		const probed = await attach(
			guest,
			counted.map(({name, address}) => ({name, address})),
		);
		say(`${probed.functions.length} at once, attached in ${seconds(began)} s`);
		const until = performance.now() + Number(options.minutes) * 60_000;
		let rounds = 0;
		for (; performance.now() < until; rounds++) await guest.run();
		say(`${rounds} rounds of the workload`);
		counted = [...(await count(guest, probed))];
		const ends = performance.now();
		await close(guest, probed);
		say(`closed in ${seconds(ends)} s`);
		await guest.run();
		problems.push(...(await compareCalled(guest, probed.functions)));
		const wereHit = counted.filter(({counts: [hits]}) => hits > 0).map(({name, address}) => ({name, address}));
		problems.push(...(await compareExactly(guest, wereHit)));
	} catch (error) {
		problems.push(`${complaint(guest, error)} with all at once`);
	}
}
await guest.guest[Symbol.asyncDispose]();

const hit = counted.filter(({counts: [entry]}) => entry > 0);
/** Functions that the workload calls on every kernel that has them. */
const certain = [
	'vfs_read',
	'vfs_write',
	'do_exit',
	'schedule',
	'tcp_sendmsg',
	'vfs_unlink',
	'do_mmap',
	'wake_up_process',
];
for (const {name, counts} of counted)
	if (certain.includes(name) && counts[0] === 0) problems.push(`${name} was called, and not hit`);
const byReason = Map.groupBy(refused.values(), ({reason}) => reason);
process.stdout.write(
	[
		`${kernel}: ${functions.length} functions of vmlinux, ${counted.length} probed at entry and return, ${hit.length} of them hit`,
		`hits ${sum(0)} at entries and ${sum(2)} at returns, misses ${sum(1)} and ${sum(3)}`,
		...[...byReason].map(([reason, each]) => `refused ${each.length}: ${reason}`),
		...problems.map(problem => `problem: ${problem}`),
		'',
	].join('\n'),
);
if (options.lists !== undefined) {
	await mkdir(options.lists, {recursive: true});
	const write = (name: string, lines: readonly string[]) =>
		writeFile(path.join(options.lists!, `${guestBuild.kernel.id}-${name}`), `${lines.join('\n')}\n`);
	await write(
		'probed',
		counted.map(({name, counts}) => `${name} ${counts.join(' ')}`),
	);
	await write(
		'refused',
		[...refused.values()].map(({name, reason}) => `${name}: ${reason}`),
	);
}
process.exitCode = problems.length > 0 ? 1 : 0;

async function start(): Promise<Worked> {
	const booted = await Instance.boot(guestBuild, {memoryMib: 1024});
	await loadSuite(booted, guestBuild);
	const link = await booted.link();
	const script = await readFile(path.join(import.meta.dirname, 'workload.sh'), 'utf8');
	const calm = script.replace('; processors_and_modules\n', '\n');
	if (calm === script) throw new Error('workload.sh does not end as it did.');
	await push(link, '/root', [
		{path: 'workload.sh', data: Buffer.from(script), mode: 0o755},
		{path: 'calm.sh', data: Buffer.from(calm), mode: 0o755},
	]);
	const {prog} = await booted.agent.call('load', {program: 'empty'});
	return {
		guest: booted,
		prog,
		async run({isCalm = false} = {}) {
			const late = AbortSignal.timeout(workloadMs);
			const {stdout} = await link.exec(`/root/${isCalm ? 'calm' : 'workload'}.sh 2>&1 || true`, {signal: late});
			if (!stdout.endsWith('right\n')) throw new Error(`the workload said ${JSON.stringify(stdout)}`);
			await booted.vm.console.refresh();
			const [report] = findKernelReports(booted.vm.console.text);
			if (report) throw new Error(report.title);
		},
	};
}

/** Code symbols of vmlinux, one for each address. */
async function functionsOf(of: Instance): Promise<readonly Func[]> {
	const {stdout} = await (await of.link()).exec('grep -v "\\[" /proc/kallsyms');
	const found = new Map<string, Func>();
	for (const [, address, name] of stdout.matchAll(/^([\da-f]+) [tTwW] (\S+)$/gm)) {
		if (!found.has(address!)) found.set(address!, {name: name!, address: `0x${address!}`});
	}
	return [...found.values()];
}

/**
 * Attaches to a batch, leaving out functions that the kernel refuses.
 */
async function attach({guest: {agent}, prog}: Worked, batch: readonly Func[]): Promise<Probed> {
	let functions = batch;
	const probes: number[] = [];
	for (const point of ['entry', 'return'] as const) {
		for (;;) {
			const answer = await agent.call('attachList', {prog, point, addresses: functions.map(({address}) => address)});
			if (answer.probe !== undefined) {
				probes.push(answer.probe);
				break;
			}
			const culprit = functions[answer.failed];
			if (!culprit || point === 'return') throw new Error(`${point} of ${culprit?.name}: ${answer.errno}`);
			refused.set(culprit.address, {name: culprit.name, reason: answer.errno});
			functions = functions.toSpliced(answer.failed, 1);
		}
	}
	return {functions, probes};
}

async function count({guest: {agent}}: Worked, {functions, probes}: Probed): Promise<readonly Attached[]> {
	const [entries, returns] = await Promise.all(
		probes.map(async probe => (await agent.call('infoList', {probe})).counts),
	);
	return functions.map((each, n) => {
		const [hits, misses] = entries![n]!;
		const [returnHits, returnMisses] = returns![n]!;
		return {...each, counts: [hits, misses, returnHits, returnMisses]};
	});
}

async function close({guest: {agent}}: Worked, {probes}: Probed): Promise<void> {
	for (const probe of probes) await agent.call('close', {probe});
}

/** How often the fixtures have seen each function called; by the function's address. */
async function readProfile({guest: {agent}}: Worked): Promise<ReadonlyMap<bigint, number>> {
	const {calls} = await agent.call('profile', {what: 'read'});
	return new Map(calls.map(([ip, count]) => [BigInt(ip), count]));
}

/** While nothing was probed. Without work, what is called is what hooking and reading itself calls. */
async function profile(worked: Worked, {works}: {works: boolean}): Promise<ReadonlyMap<bigint, number>> {
	await worked.guest.agent.call('profile', {what: 'start'});
	if (works) await worked.run({isCalm: true});
	const profiled = await readProfile(worked);
	await worked.guest.agent.call('profile', {what: 'stop'});
	return profiled;
}

/** ftrace is called at the function, or behind its endbr64. */
function callsOf(profiled: ReadonlyMap<bigint, number>, {address}: Func): number {
	return profiled.get(BigInt(address)) ?? profiled.get(BigInt(address) + 4n) ?? 0;
}

/**
 * Each call that the fixtures see of a probed function has to be a hit or a miss. They begin first: with everything probed, the
 * kernel would take longer to hook as many functions again than its watchdog waits.
 */
async function compareExactly(worked: Worked, functions: readonly Func[]): Promise<string[]> {
	const {agent} = worked.guest;
	await agent.call('profile', {what: 'start'});
	const probed = await attach(worked, functions);
	const before = await count(worked, probed);
	const from = await readProfile(worked);
	await worked.run({isCalm: true});
	const to = await readProfile(worked);
	const after = await count(worked, probed);
	await close(worked, probed);
	await agent.call('profile', {what: 'stop'});
	let calls = 0;
	const short = after.flatMap((each, n) => {
		const seen = callsOf(to, each) - callsOf(from, each);
		const counted = each.counts[0] + each.counts[1] - before[n]!.counts[0] - before[n]!.counts[1];
		calls += seen;
		return counted < seen ? [`${each.name}: ${seen} calls, ${counted} hits and misses`] : [];
	});
	say(`${calls} calls of ${functions.length} functions were seen beside the probes, and compared`);
	return short;
}

/**
 * What is called each time that the guest works has to be a hit or a miss at least one of two times, with nobody else at
 * its site.
 */
async function compareCalled(worked: Worked, functions: readonly Func[]): Promise<string[]> {
	const idle = await profile(worked, {works: false});
	const profiles = [await profile(worked, {works: true}), await profile(worked, {works: true})];
	const seen = new Set<Hex>();
	for (let round = 0; round < 2; round++) {
		const probed = await attach(worked, functions);
		await worked.run({isCalm: true});
		for (const {address, counts} of await count(worked, probed)) if (counts[0] + counts[1] > 0) seen.add(address);
		await close(worked, probed);
	}
	// Hooking calls some functions often, and how often varies a little.
	const isCalled = (each: Func) => profiles.every(profiled => callsOf(profiled, each) > 2 * callsOf(idle, each));
	const called = functions.filter(isCalled);
	say(`${called.length} functions were called each time, ${seen.size} were hits or misses`);
	return called
		.filter(({address}) => !seen.has(address))
		.map(({name}) => `${name} is called, and was neither hit nor missed`);
}

/** Finds the function of a batch that brings a guest down by itself. */
async function findCulprit(batch: readonly Func[]): Promise<Func | undefined> {
	const fresh = await start();
	try {
		await attach(fresh, batch);
		await fresh.run();
		return undefined;
	} catch (error) {
		say(`${complaint(fresh, error)}: ${batch.length} functions from ${batch[0]!.name}`);
	} finally {
		await fresh.guest[Symbol.asyncDispose]();
	}
	if (batch.length === 1) return batch[0];
	const middle = Math.ceil(batch.length / 2);
	return (await findCulprit(batch.slice(0, middle))) ?? (await findCulprit(batch.slice(middle)));
}

function complaint({guest: {vm}}: Worked, error: unknown): string {
	const [report] = findKernelReports(vm.console.text);
	return report?.title ?? messageOf(error);
}

function chunks<T>(all: readonly T[], size: number): T[][] {
	return Array.from({length: Math.ceil(all.length / size)}, (_, n) => all.slice(n * size, (n + 1) * size));
}

function sum(column: 0 | 1 | 2 | 3): number {
	return counted.reduce((total, {counts}) => total + counts[column], 0);
}

function seconds(since: number): number {
	return Math.round((performance.now() - since) / 1000);
}

function say(line: string): void {
	process.stderr.write(`${line}\n`);
}

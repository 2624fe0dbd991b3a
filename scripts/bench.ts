// SPDX-License-Identifier: GPL-2.0
/**
 * Measures everything that has a budget, five times each, and prints a table of medians. With --history, the
 * measurements are kept, and `probe-matrix report --history` shows their trend.
 *
 *   npx node scripts/bench.ts [kernel] [--history DIR] [--mechanism NAME|all]…
 *
 * With --mechanism, it measures what probes cost by each mechanism instead.
 */
import {readFileSync} from 'node:fs';
import {Command} from 'commander';
import {buildGuest, type GuestBuild} from '../harness/build/guest-build.ts';
import {repeatable} from '../harness/cli/option-values.ts';
import {openConsoles} from '../harness/engine/consoles.ts';
import {describeRun} from '../harness/engine/describe-run.ts';
import {planCells} from '../harness/engine/plan.ts';
import {runKernels} from '../harness/engine/run-kernels.ts';
import {obtainBootableKernel} from '../harness/guest/bootable-kernel.ts';
import {findAccelerator} from '../harness/host/accelerator.ts';
import {findQemu} from '../harness/host/qemu.ts';
import {say} from '../harness/host/say.ts';
import {fallbackKernel} from '../harness/kernels/default-kernels.ts';
import {HistoryLog} from '../harness/results/history/history-log.ts';
import {countVerdicts} from '../harness/results/run/cell-name.ts';
import type {MeasurementEvent, RunEvent} from '../harness/results/run/events.ts';
import {median} from '../harness/results/run/statistics.ts';
import type {Point} from '../harness/suites/bprobe/agent-protocol.ts';
import {bprobeSuite} from '../harness/suites/bprobe/suite.ts';
import {Instance, type InstanceOptions} from '../harness/vm/instance.ts';
import {loadSuite} from '../harness/vm/load-suite.ts';
import {obtainLoaded} from '../harness/vm/loaded-snapshot.ts';
import {nsPerCall} from './bench-calls.ts';
import {instructionsByFunction, tableOf} from './bench-functions.ts';
import {measureMechanisms} from './bench-mechanisms.ts';
import {CheckoutCopy, type Ended} from './checkout-copy.ts';

const rounds = 5;
const program = new Command('bench')
	.description('Measures what the project has budgets for, each as the median of five.')
	.argument('[kernel]', 'kernel to measure', fallbackKernel)
	.option('--history <dir>', 'keep the figures in this directory of past runs')
	.addOption(
		repeatable('--mechanism <name>', "measure what probes cost by this mechanism instead, or by 'all'", 'none'),
	)
	.parse();
const options = program.opts<{history?: string; mechanism: readonly string[]}>();
const [kernel] = program.processedArgs as [string];
const cells = planCells({kernels: [kernel], suite: bprobeSuite, cases: await bprobeSuite.cases()});
const {signal} = new AbortController();

type Row = Omit<MeasurementEvent, 'type' | 'kernel'>;

const consoles = await openConsoles();
using kept = options.history === undefined ? undefined : new HistoryLog(options.history, {onTrouble: say});
const guestBuild = await buildGuest(await obtainBootableKernel(kernel), bprobeSuite.content);
const startedAt = performance.now();
kept?.write(await describe());
const ofMechanisms = (build: GuestBuild) => measureMechanisms(build, options.mechanism);
const measures: readonly ((build: GuestBuild) => Promise<readonly Row[]> | AsyncIterable<Row>)[] =
	options.mechanism.length > 0
		? [ofMechanisms]
		: [measureBoot, measureRestore, measureEdits, measureCalls, measureMatrix];
process.stdout.write(
	`${kernel}, ${guestBuild.kernel.release}, medians of ${rounds}; the matrix has ${cells.length} cells\n`,
);
for (const measure of measures) {
	// Rows are shown as they come: some take minutes.
	for await (const row of await measure(guestBuild)) {
		kept?.write({type: 'measurement', kernel, ...row});
		show(row);
	}
}
const durationMs = Math.round(performance.now() - startedAt);
kept?.write({type: 'end', counts: countVerdicts([]), durationMs, exitCode: 0});
kept?.close();

function show({what, unit, budget, values}: Row): void {
	const middle = median(values);
	const judged = budget === undefined ? '' : middle <= budget ? 'within' : 'OVER';
	const spread = `${Math.round(Math.min(...values))}–${Math.round(Math.max(...values))}`;
	process.stdout.write(
		`${what.padEnd(52)} ${String(Math.round(middle)).padStart(7)} ${unit.padEnd(4)} ${judged.padEnd(6)} ${String(budget ?? '').padStart(6)}  (${spread})\n`,
	);
}

async function describe(): Promise<RunEvent> {
	const qemu = await findQemu();
	const accelerator = await findAccelerator(qemu);
	return {
		...(await describeRun({id: consoles.id, suite: bprobeSuite, cells: [], qemu, accelerator})),
		command: 'bench',
	};
}

async function measureBoot(guestBuild: GuestBuild): Promise<readonly Row[]> {
	const bootMs: number[] = [];
	const memoryMib: number[] = [];
	for (let round = 0; round < rounds; round++) {
		await using guest = await Instance.boot(guestBuild);
		bootMs.push(guest.readyMs);
		const pss = /^Pss:\s+(\d+) kB$/m.exec(readFileSync(`/proc/${guest.vm.pid}/smaps_rollup`, 'utf8'))?.[1];
		memoryMib.push(Number(pss) / 1024);
	}
	return [
		{what: 'power on to agent answers', unit: 'ms', budget: kernel.startsWith('4.') ? 1400 : 1800, values: bootMs},
		{what: 'memory of one VM after boot', unit: 'MiB', budget: 256, values: memoryMib},
	];
}

async function measureRestore(guestBuild: GuestBuild): Promise<readonly Row[]> {
	const loaded = await obtainLoaded(guestBuild);
	const values: number[] = [];
	// One more round, because the first one has to read the file from disk.
	for (let round = -1; round < rounds; round++) {
		await using guest = await Instance.restore(loaded);
		if (round >= 0) values.push(guest.readyMs);
	}
	return [{what: 'restore to agent answers', unit: 'ms', budget: 100, values}];
}

/** From Enter to the result, in a checkout in which one file has just been saved. Earlier builds are in the cache. */
async function measureEdits(): Promise<readonly Row[]> {
	await using checkout = await CheckoutCopy.create();
	const run = ['run', '--kernel', kernel, '--match', 'entry/sp-and-ip[asm]'];
	const times = async (args: readonly string[], edit: (round: number) => Promise<void> = async () => {}) => {
		const ended: Ended[] = [];
		// One more round, because the first one builds and saves what the others reuse.
		for (let round = -1; round < rounds; round++) {
			await edit(round);
			const end = await checkout.run(...args);
			if (end.exitCode !== 0) throw new Error(end.lines.join('\n'));
			if (round >= 0) ended.push(end);
		}
		return ended;
	};
	const name = (round: number) => `of_bench_${process.pid}_${round + 1}`;
	const module = await times(run, round =>
		checkout.append('kmod/entry.c', `\nint ${name(round)}(void);\nint ${name(round)}(void) { return ${round}; }\n`),
	);
	const cases = await times(run, round =>
		checkout.append('harness/suites/bprobe/cases/entry.ts', `\n// ${name(round)}\n`),
	);
	const one = await times(run);
	const help = await times(['--help']);
	const list = await times(['kernels', 'list']);
	const row = (what: string, budget: number, values: readonly number[]): Row => ({what, unit: 'ms', budget, values});
	return [
		row(
			'kmod file edited to verdict',
			3000,
			module.map(({verdictMs}) => verdictMs),
		),
		row(
			'case file edited to verdict',
			2200,
			cases.map(({verdictMs}) => verdictMs),
		),
		row(
			'one cell, to the prompt',
			2200,
			one.map(({endMs}) => endMs),
		),
		row(
			'--help',
			250,
			help.map(({endMs}) => endMs),
		),
		row(
			'kernels list',
			250,
			list.map(({endMs}) => endMs),
		),
	];
}

/**
 * Instructions per call of fx_asm_fentry with an empty program attached, minus those without. Then tables of where they
 * go: there, one call is stepped through.
 */
async function* measureCalls(guestBuild: GuestBuild): AsyncGenerator<Row> {
	const options: InstanceOptions = {cpus: 1, countsInstructions: true, deadlineMs: 180_000};
	await using guest = await Instance.boot(guestBuild, options);
	await loadSuite(guest, guestBuild);
	const {agent} = guest;
	const {prog} = await agent.call('load', {program: 'empty'});
	const address = (await agent.call('symbols', {names: ['fx_asm_fentry']})).addresses.fx_asm_fentry![0]!;
	const extra = async (point: Point): Promise<number> => {
		const without = await nsPerCall(agent, {target: 'asm-fentry'});
		const {probe} = await agent.call('attach', {prog, point, address});
		const probed = await nsPerCall(agent, {target: 'asm-fentry'});
		await agent.call('close', {probe});
		return probed - without;
	};
	const rowOf = async (point: Point, budget: number): Promise<Row> => {
		const values: number[] = [];
		for (let round = 0; round < rounds; round++) values.push(await extra(point));
		return {what: `instructions per ${point}`, unit: '', budget, values};
	};
	yield await rowOf('entry', kernel.startsWith('4.') ? 330 : 200);
	yield await rowOf('return', kernel.startsWith('4.') ? 600 : 360);
	for (const point of ['entry', 'return'] as const)
		process.stdout.write(tableOf(point, await instructionsByFunction(guest, point)));
}

async function measureMatrix(): Promise<readonly Row[]> {
	const values: number[] = [];
	for (let round = 0; round < rounds; round++) {
		const {end} = await runKernels({suite: bprobeSuite, cells, signal, consoles, emit() {}});
		if (end.exitCode !== 0) process.stderr.write(`bench: not all passed: ${JSON.stringify(end.counts)}\n`);
		values.push(end.durationMs / 1000);
	}
	return [{what: 'full matrix', unit: 's', budget: kernel.startsWith('4.') ? 35 : 30, values}];
}

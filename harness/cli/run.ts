import path from 'node:path';
import {type Command, Option} from 'commander';
import {type AcceleratorName, acceleratorNames} from '../host/accelerator.ts';
import {UsageError} from '../host/errors.ts';
import {say} from '../host/say.ts';
import {type Isolation, isolations} from '../matrix/isolation.ts';
import {type Cell, planCells} from '../matrix/plan.ts';
import {type EarlierRun, resume} from '../matrix/resume.ts';
import {runKernels} from '../matrix/run-kernels.ts';
import {embeddedKernel, homeKernel} from '../matrix/tested-kernels.ts';
import {bprobe} from '../mechanisms/bprobe.ts';
import {EventLog} from '../results/event-log.ts';
import type {CellEvent, KernelEvent, Shard} from '../results/events.ts';
import {formatFailure, formatKernelFailure} from '../results/failure.ts';
import {HistoryLog} from '../results/history-log.ts';
import {sumOfNotRun, unusableKernels} from '../results/kernel-summary.ts';
import {formatCounts, formatTable} from '../results/table.ts';
import {chooseKernels} from './choose-kernels.ts';
import {readNamed} from './compare.ts';
import {openHistory} from './history.ts';
import {forJob} from './job-output.ts';
import {collect, wholeNumber} from './option-values.ts';
import {openProgress} from './progress.ts';
import {chooseShard, parseShard, type ShardChoice} from './shard.ts';
import {watchRuns} from './watch.ts';

type RunOptions = {
	readonly kernel: readonly string[];
	readonly match: readonly string[];
	readonly json?: string;
	readonly history?: string;
	readonly repeat: number;
	readonly shard?: ShardChoice;
	readonly times?: string;
	readonly isolation: Isolation;
	readonly accel?: AcceleratorName;
	readonly source?: string;
	readonly resume?: string;
	readonly watch: boolean;
	readonly standby: boolean;
};

export function addRun(command: Command, signal: AbortSignal): void {
	command
		.option(
			'--kernel <id>',
			`a kernel to run on; may be given again, or be 'all' (default: ${homeKernel}, or ${embeddedKernel} where that cannot be had)`,
			collect,
			[],
		)
		.option('--source <dir>', 'build releases of kernel.org from this tree instead of fetching them')
		.option('--match <glob>', "cases to run, as 'suite/name' or 'suite/name[target]'; may be given again", collect, [])
		.option('--json <file>', 'write the events as JSON lines; - is standard output')
		.option('--history <dir>', 'keep the events there, beside those of other runs')
		.option(
			'--shard <i/n>',
			'one part of n: whole kernels, weighted by what they took in --history or --times',
			parseShard,
		)
		.option('--times <file>', 'the events of a past run, for --shard')
		.option(
			'--resume <run>',
			'take over what an interrupted run has found out: its --json file, or its id in --history',
		)
		.option('--repeat <n>', 'run each cell so many times', wholeNumber(1, 10_000), 1)
		.addOption(
			new Option('--isolation <level>', 'what cells share: a guest while it is clean, only what was saved, or nothing')
				.choices(isolations)
				.default('reuse'),
		)
		.addOption(
			new Option('--accel <name>', 'how guests run (default: kvm if a test guest runs with it)').choices(
				acceleratorNames,
			),
		)
		.addOption(
			new Option('--watch', 'run again after each change of the sources, and say what is different')
				.conflicts(['json', 'history', 'shard', 'resume'])
				.default(false),
		)
		// How --watch starts a round ahead of its time: it begins when a line comes on standard input.
		.addOption(new Option('--standby').hideHelp().default(false))
		.addHelpText(
			'after',
			`
Exit status: 0 all passed, 1 a cell failed, crashed or hung, 2 usage or set-up,
3 nothing failed but something could not run, 130 interrupted.

Example: probe-matrix run --match 'return/*' --match 'race/owner-killed[asm]'`,
		)
		.action(async (options: RunOptions) => {
			if (options.watch)
				return watchRuns(
					process.argv.slice(2).filter(each => each !== '--watch'),
					signal,
				);
			if (options.standby && !(await isCalled())) return;
			process.exitCode = await run(options, signal);
		});
}

/** Waits for a line; none comes where nobody is left to send it. */
async function isCalled(): Promise<boolean> {
	for await (const _ of process.stdin) return true;
	return false;
}

type PlannedRun = {readonly cells: readonly Cell[]; readonly shard?: Shard; readonly earlier?: EarlierRun};

/** The cells to run: of all that are asked for those of the shard, without what the run to go on with has done. */
async function plan(
	{kernel, match, repeat, shard: choice, history, times, json, resume: name}: RunOptions,
	from: {readonly signal: AbortSignal; readonly source?: string},
): Promise<PlannedRun> {
	// Only now: while a process waits for its turn, cases may change.
	const {allCases} = await import('../matrix/cases/all.ts');
	const {kernels, notice} = await chooseKernels(kernel, from);
	if (notice) say(notice);
	const shard = choice && (await chooseShard(choice, kernels, {history, times}));
	const all = planCells({kernels, mechanisms: [bprobe], cases: allCases, match, repeat});
	const part = shard?.parts[shard.index - 1];
	const cells = part ? all.filter(cell => part.includes(cell.kernel)) : all;
	if (name === undefined) return {cells, ...(shard && {shard})};
	if (json !== undefined && path.resolve(json) === path.resolve(name))
		throw new UsageError(`${name} would be lost while it is read: give --json another file.`);
	using store = history === undefined ? undefined : await openHistory(history);
	const {left, earlier} = resume({name, record: await readNamed(name, store)}, cells);
	say(`going on with ${name}: ${cells.length - left.length} of ${cells.length} cells are done.`);
	return {cells: left, earlier, ...(shard && {shard})};
}

async function run(options: RunOptions, signal: AbortSignal): Promise<number> {
	const {json, history, source, isolation, accel} = options;
	const from = {signal, ...(source !== undefined && {source})};
	const {cells, shard, earlier} = await plan(options, from);
	using log = json === undefined ? undefined : new EventLog(json);
	using kept = history === undefined ? undefined : new HistoryLog(history, {onTrouble: say});
	const progress = openProgress({cells: cells.length, isTerminal: process.stderr.isTTY && !process.env.CI});
	const finished: CellEvent[] = [];
	const kernelEvents: KernelEvent[] = [];
	const ran = await runKernels({
		...from,
		cells,
		shard,
		earlier,
		isolation,
		accelerator: accel,
		emit(event) {
			log?.write(event);
			kept?.write(event);
			if (event.type === 'cell') finished.push(event);
			if (event.type === 'kernel') kernelEvents.push(event);
			// What happened in the run before was shown there.
			const isNew = !(event.type === 'cell' && earlier?.cells.includes(event));
			if (isNew) progress.show(event);
		},
	}).finally(() => progress.end());

	const unusable = unusableKernels(kernelEvents);
	const bad = finished.filter(({verdict}) => verdict !== 'pass' && verdict !== 'skip');
	const skipped = finished.filter(({verdict}) => verdict === 'skip');
	const text = [
		formatTable(finished, new Map(unusable.map(({kernel, state}) => [kernel, state]))),
		...unusable.map(kernel => `${formatKernelFailure(kernel)}\n`),
		...bad.map(cell => `${formatFailure(cell)}\n`),
		...skipped.map(cell => `skipped ${cell.case}${cell.target ? `[${cell.target}]` : ''}: ${cell.message}`),
		`${formatCounts(finished, sumOfNotRun(kernelEvents))} in ${(ran.end.durationMs / 1000).toFixed(1)} s; consoles are in ${ran.consoles}`,
		'',
	].join('\n');
	// With --json - the events have standard output for themselves.
	const output = json === '-' ? process.stderr : process.stdout;
	output.write(forJob(text, {kernels: kernelEvents, cells: finished}));
	kept?.close();
	return ran.end.exitCode;
}

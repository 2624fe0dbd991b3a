// SPDX-License-Identifier: GPL-2.0
import {existsSync} from 'node:fs';
import path from 'node:path';
import {type Command, Option} from 'commander';
import {type Cell, planCells} from '../engine/plan.ts';
import {type EarlierRun, resumeRun} from '../engine/resume.ts';
import {runKernels} from '../engine/run-kernels.ts';
import type {Suite} from '../engine/suite.ts';
import type {Isolation} from '../guest/isolation.ts';
import {MemorySaver} from '../guest/memory-saver.ts';
import type {AcceleratorName} from '../host/accelerator.ts';
import {UsageError} from '../host/errors.ts';
import {say} from '../host/say.ts';
import {HistoryLog} from '../results/history/history-log.ts';
import {cellTitle} from '../results/run/cell-name.ts';
import {EventLog} from '../results/run/event-log.ts';
import type {CellEvent, KernelEvent, Shard} from '../results/run/events.ts';
import {formatFailure, formatKernelFailure} from '../results/run/failure.ts';
import {sumOfNotRun, unusableKernels} from '../results/run/kernel-summary.ts';
import {plainText} from '../results/run/plain-text.ts';
import type {ReadingOrder} from '../results/run/reading-order.ts';
import {formatCounts, formatTable} from '../results/run/table.ts';
import {isGreen} from '../results/run/verdict.ts';
import {chooseKernels} from './choose-kernels.ts';
import {readNamed} from './compare.ts';
import {openHistory} from './history.ts';
import {forJob} from './job-output.ts';
import {failedName, kernelsOf, readLastFailed, writeLastFailed} from './last-failed.ts';
import {repeatable, wholeNumber} from './option-values.ts';
import {openProgress} from './progress.ts';
import {chooseShard, parseShard, type ShardChoice} from './shard.ts';
import {
	acceleratorOption,
	addSuiteOptions,
	casesOf,
	defaultKernelText,
	isolationOption,
	matchOption,
	mechanismOption,
	type SuiteOptions,
	saveMemoryOption,
	sourceOption,
	suiteOf,
} from './shared-options.ts';
import {watchRuns} from './watch.ts';

type RunOptions = SuiteOptions & {
	readonly kernel: readonly string[];
	readonly match: readonly string[];
	readonly mechanism: readonly string[];
	readonly json?: string;
	readonly history?: string;
	readonly repeat: number;
	readonly jobs?: number;
	readonly lastFailed?: boolean;
	readonly verbose?: boolean;
	readonly saveMemory?: boolean;
	readonly shard?: ShardChoice;
	readonly timings?: string;
	readonly isolation: Isolation;
	readonly accel?: AcceleratorName;
	readonly source?: string;
	readonly resume?: string;
	readonly watch?: boolean;
	readonly standby?: boolean;
};

export function addRun(command: Command, signal: AbortSignal): void {
	addSuiteOptions(command)
		.addOption(repeatable('--kernel <id>', "kernel to run on, or 'all'", defaultKernelText))
		.addOption(sourceOption())
		.addOption(matchOption())
		.addOption(mechanismOption())
		.option('--json <file>', 'write events as JSON lines; - is standard output')
		.option('--history <dir>', 'keep the events in this directory of past runs')
		.option(
			'--shard <i/n>',
			'run shard i of n: whole kernels, weighted by their durations in --history or --timings',
			parseShard,
		)
		.option('--timings <file>', 'events of a past run, for --shard')
		.option('--resume <run>', 'resume an interrupted run: its --json file, or its id in --history')
		.option('--repeat <n>', 'run each cell n times', wholeNumber(1, 10_000), 1)
		.option('--last-failed', 'only the cells that did not pass in the last run of this suite')
		.option('--jobs <n>', 'the most guests at the same time (default: one for each core)', wholeNumber(1, 1000))
		.option('--verbose', "show the guests' consoles as they come")
		.addOption(saveMemoryOption())
		.addOption(isolationOption('cells'))
		.addOption(acceleratorOption())
		.addOption(
			new Option('--watch', 'run again after each change of the sources, and report what changed').conflicts([
				'json',
				'history',
				'shard',
				'resume',
			]),
		)
		// Used by --watch to start a round in advance; the run begins when a line arrives on standard input.
		.addOption(new Option('--standby').hideHelp())
		.addHelpText(
			'after',
			`
Exit status: 0 all passed, 1 a cell failed, crashed or hung, 2 wrong usage or
set-up, 3 nothing failed but something could not run, 130 interrupted.

Example: probe-matrix run --match 'return/*' --match 'race/owner-killed[asm]'`,
		)
		.action(async (options: RunOptions) => {
			if (options.watch)
				return watchRuns(
					process.argv.slice(2).filter(each => each !== '--watch'),
					{suite: await suiteOf(options), signal},
				);
			if (options.standby && !(await isCalled())) return;
			process.exitCode = await run(options, signal);
		});
}

/** Waits for a line on standard input. Returns false when the parent closes it. */
async function isCalled(): Promise<boolean> {
	for await (const _ of process.stdin) return true;
	return false;
}

type PlannedRun = {
	readonly suite: Suite;
	readonly cells: readonly Cell[];
	readonly shard?: Shard;
	readonly earlier?: EarlierRun;
};

/** The cells to run: those of the shard, without the ones that the resumed run has finished. */
async function plan(
	options: RunOptions,
	from: {readonly signal: AbortSignal; readonly source?: string},
): Promise<PlannedRun> {
	const {
		kernel: asked,
		match,
		mechanism: mechanisms,
		repeat,
		lastFailed,
		shard: choice,
		history,
		timings,
		json,
		resume: name,
	} = options;
	// Load cases only now: they may change while a standby process waits.
	const suite = await suiteOf(options);
	const cases = await casesOf(suite);
	const failed = lastFailed ? await readLastFailed(suite.name) : undefined;
	const kernel = failed && asked.length === 0 ? kernelsOf(failed) : asked;
	const {kernels, notice} = await chooseKernels(kernel, suite.kernels, from);
	if (notice) say(notice);
	const shard = choice && (await chooseShard(choice, kernels, {history, timings}));
	const planned = planCells({kernels, suite, cases, match, mechanisms, repeat});
	const all = failed ? planned.filter(cell => failed.has(failedName(cell))) : planned;
	const part = shard?.parts[shard.index - 1];
	const cells = part ? all.filter(cell => part.includes(cell.kernel)) : all;
	if (name === undefined) return {suite, cells, ...(shard && {shard})};
	if (json !== undefined && path.resolve(json) === path.resolve(name))
		throw new UsageError(`--json would overwrite ${name}, which --resume reads; give another file.`);
	// A history that this run begins has nothing to resume.
	using store = history === undefined || existsSync(name) ? undefined : await openHistory(history);
	const {left, earlier} = resumeRun({name, record: await readNamed(name, store)}, cells);
	say(`resuming ${name}: ${cells.length - left.length} of ${cells.length} cells are done.`);
	return {suite, cells: left, earlier, ...(shard && {shard})};
}

async function run(options: RunOptions, signal: AbortSignal): Promise<number> {
	const {json, history, source, isolation, accel} = options;
	const from = {signal, ...(source !== undefined && {source})};
	const {suite, cells, shard, earlier} = await plan(options, from);
	using log = json === undefined ? undefined : new EventLog(json);
	using kept = history === undefined ? undefined : new HistoryLog(history, {onTrouble: say});
	const progress = openProgress({cells: cells.length, isTerminal: process.stderr.isTTY && !process.env.CI});
	const finished: CellEvent[] = [];
	const kernelEvents: KernelEvent[] = [];
	let order: ReadingOrder | undefined;
	const ran = await runKernels({
		...from,
		suite,
		cells,
		shard,
		earlier,
		isolation,
		accelerator: accel,
		jobs: options.jobs,
		...(options.saveMemory && {memories: new MemorySaver()}),
		...(options.verbose && {onConsoleLine: showConsoleLine}),
		emit(event) {
			log?.write(event);
			kept?.write(event);
			if (event.type === 'run') order = event.order;
			if (event.type === 'cell') finished.push(event);
			if (event.type === 'kernel') kernelEvents.push(event);
			// Cells of the resumed run were shown by that run.
			const isNew = !(event.type === 'cell' && earlier?.cells.includes(event));
			if (isNew) progress.show(event);
		},
	}).finally(() => progress.end());

	const bad = finished.filter(cell => !isGreen(cell));
	await writeLastFailed(suite.name, bad);
	const unusable = unusableKernels(kernelEvents);
	const text = [
		formatTable(finished, {missing: new Map(unusable.map(({kernel, state}) => [kernel, state])), order}),
		...unusable.map(kernel => `${formatKernelFailure(kernel)}\n`),
		...bad.map(cell => `${formatFailure(cell)}\n`),
		...formatSkips(finished),
		...finished.filter(({verdict, message}) => verdict === 'pass' && message).map(tellPassed),
		`${formatCounts(finished, sumOfNotRun(kernelEvents))} in ${(ran.end.durationMs / 1000).toFixed(1)} s; consoles are in ${ran.consoles}`,
		'',
	].join('\n');
	// With `--json -`, standard output is reserved for events.
	const output = json === '-' ? process.stderr : process.stdout;
	output.write(forJob(text, {kernels: kernelEvents, cells: finished}));
	kept?.close();
	return ran.end.exitCode;
}

/** A line for each reason; it names three cells. */
function formatSkips(cells: readonly CellEvent[]): readonly string[] {
	const skipped = cells.filter(({verdict}) => verdict === 'skip');
	return [...Map.groupBy(skipped, ({message}) => message)].map(([message, alike]) => {
		const titles = [...new Set(alike.map(cellTitle))];
		const more = titles.length > 3 ? ` and ${titles.length - 3} more` : '';
		return `skipped ${titles.slice(0, 3).join(', ')}${more}: ${message}`;
	});
}

/** A cell that passes although its suite lists it as failing. */
function tellPassed(cell: CellEvent): string {
	return `passed ${cell.kernel} ${cellTitle(cell)}: ${cell.message}`;
}

/** A console may hold control characters, which must not reach the terminal. */
function showConsoleLine(kernel: string, line: string): void {
	process.stderr.write(forJob(`${kernel}: ${plainText(line)}\n`));
}

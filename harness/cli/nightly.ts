// SPDX-License-Identifier: GPL-2.0
import type {Command} from 'commander';
import {openConsoles} from '../engine/consoles.ts';
import {planCells} from '../engine/plan.ts';
import {runKernels} from '../engine/run-kernels.ts';
import {MemorySaver} from '../guest/memory-saver.ts';
import {cacheDirectory} from '../host/cache.ts';
import {say} from '../host/say.ts';
import {nightlyKernels} from '../kernels/catalogue.ts';
import {formatNight} from '../nightly/format-night.ts';
import {readKnownFailures} from '../nightly/known-failures.ts';
import {newsOf} from '../nightly/night-news.ts';
import {pastRuns, runNight} from '../nightly/run-night.ts';
import {compareRuns} from '../results/compare/compare-runs.ts';
import {formatComparison} from '../results/compare/format-comparison.ts';
import {HistoryLog} from '../results/history/history-log.ts';
import {EventLog} from '../results/run/event-log.ts';
import {formatTable} from '../results/run/table.ts';
import {chooseKernels} from './choose-kernels.ts';
import {openHistory} from './history.ts';
import {forJob} from './job-output.ts';
import {numberOf, repeatable} from './option-values.ts';
import {openProgress} from './progress.ts';
import {
	addSuiteOptions,
	matchOption,
	mechanismOption,
	type SuiteOptions,
	saveMemoryOption,
	sourceOption,
	suiteOf,
} from './shared-options.ts';

type NightlyOptions = SuiteOptions & {
	readonly kernel: readonly string[];
	readonly match: readonly string[];
	readonly mechanism: readonly string[];
	readonly hours: number;
	readonly history?: string;
	readonly known?: string;
	readonly json?: string;
	readonly saveMemory?: boolean;
	readonly source?: string;
};

export function addNightly(command: Command, signal: AbortSignal): void {
	addSuiteOptions(command)
		.addOption(repeatable('--kernel <id>', 'kernel to run on', 'all, in all flavours'))
		.addOption(matchOption())
		.addOption(mechanismOption())
		.option(
			'--hours <n>',
			'time budget; the time left after the matrix is spent repeating the races',
			numberOf('hours', 0, 1000),
			0,
		)
		.option('--history <dir>', 'directory of past runs (default: history in the cache)')
		.option('--known <file>', 'JSON list of known failures')
		.option('--json <file>', 'also write events as JSON lines')
		.addOption(saveMemoryOption())
		.addOption(sourceOption())
		.addHelpText(
			'after',
			`
A known failure is {"kernel"?, "case", "target"?, "since", "reason" or "issue"}.
A newly failing cell is rerun ten times before it is called a regression.

Exit status: 0 nothing new, 1 regressions or new crashes, 2 wrong usage or
set-up, 3 no regression but something could not run, 130 interrupted.`,
		)
		.action(async (options: NightlyOptions) => {
			process.exitCode = await nightly(options, signal);
		});
}

async function nightly(options: NightlyOptions, signal: AbortSignal): Promise<number> {
	const {
		kernel,
		match,
		mechanism: mechanisms,
		hours,
		json,
		source,
		history: directory = cacheDirectory('history'),
	} = options;
	const from = {signal, ...(source !== undefined && {source})};
	const known = options.known === undefined ? [] : await readKnownFailures(options.known);
	const suite = await suiteOf(options);
	const wanted = kernel.length > 0 ? kernel : (suite.kernels.tested ?? nightlyKernels(suite.kernels.default));
	const {kernels} = await chooseKernels(wanted, suite.kernels, from);
	const cells = planCells({kernels, suite, cases: await suite.cases(), match, mechanisms});
	using log = json === undefined ? undefined : new EventLog(json);
	using kept = new HistoryLog(directory, {onTrouble: say});
	using store = await openHistory(directory);
	const history = pastRuns(store);
	// One directory for all stages: with one for each, a stage would prune the consoles of earlier ones.
	const consoles = await openConsoles();
	const memories = options.saveMemory ? new MemorySaver() : undefined;
	const progress = openProgress({cells: cells.length, isTerminal: false});
	const {record, report} = await runNight({
		cells,
		known,
		hours,
		history,
		isRequested: id => kernel.includes(id),
		runCells: async (planned, {emit, isolation}) =>
			runKernels({...from, suite, cells: planned, emit, isolation, consoles, memories}),
		emit(event) {
			log?.write(event);
			kept.write(event);
			progress.show(event);
		},
	}).finally(() => progress.end());

	const parts = [
		formatTable(record.cells, {
			missing: new Map(report.lost.map(({kernel: id, state}) => [id, state])),
			order: record.run.order,
		}),
	];
	const {last, green} = history;
	for (const [what, before] of [
		['the last night', last],
		['the last green night', green?.id === last?.id ? undefined : green],
	] as const) {
		if (!before) continue;
		const old = await store.read(before.id);
		const comparison = compareRuns(old, record, store.durationsBefore(before.id));
		parts.push(`compared with ${what}\n${formatComparison(comparison, old, record)}`);
	}
	parts.push(formatNight(report), `consoles are in ${consoles.consoles}\n`);
	(json === '-' ? process.stderr : process.stdout).write(forJob(parts.join('\n'), newsOf(report, record)));
	kept.close();
	return report.exitCode;
}

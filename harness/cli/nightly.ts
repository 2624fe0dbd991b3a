import type {Command} from 'commander';
import {cacheDirectory} from '../host/cache.ts';
import {say} from '../host/say.ts';
import {nightlyKernels} from '../kernels/catalogue.ts';
import {allCases} from '../matrix/cases/all.ts';
import {openConsoles} from '../matrix/consoles.ts';
import {planCells} from '../matrix/plan.ts';
import {runKernels} from '../matrix/run-kernels.ts';
import {pastRuns, runNight} from '../matrix/run-night.ts';
import {homeKernel} from '../matrix/tested-kernels.ts';
import {bprobe} from '../mechanisms/bprobe.ts';
import {compareRuns} from '../results/compare.ts';
import {EventLog} from '../results/event-log.ts';
import {formatComparison} from '../results/format-comparison.ts';
import {formatNight} from '../results/format-night.ts';
import {HistoryLog} from '../results/history-log.ts';
import {readKnownFailures} from '../results/known-failures.ts';
import {newsOf} from '../results/reports/night-news.ts';
import {formatTable} from '../results/table.ts';
import {chooseKernels} from './choose-kernels.ts';
import {openHistory} from './history.ts';
import {forJob} from './job-output.ts';
import {collect, numberOf} from './option-values.ts';
import {openProgress} from './progress.ts';

type NightlyOptions = {
	readonly kernel: readonly string[];
	readonly match: readonly string[];
	readonly hours: number;
	readonly history?: string;
	readonly known?: string;
	readonly json?: string;
	readonly source?: string;
};

export function addNightly(command: Command, signal: AbortSignal): void {
	command
		.option('--kernel <id>', 'a kernel to run on; may be given again (default: all, and all flavours)', collect, [])
		.option('--match <glob>', 'cases to run (default: all); may be given again', collect, [])
		.option('--hours <n>', 'what is left of these goes to repeats of the races', numberOf('hours', 0, 1000), 0)
		.option('--history <dir>', 'where nights are kept (default: history in the cache)')
		.option('--known <file>', 'failures that are known, a JSON list')
		.option('--json <file>', 'write the events as JSON lines, too')
		.option('--source <dir>', 'build releases of kernel.org from this tree instead of fetching them')
		.addHelpText(
			'after',
			`
A known failure is {"kernel"?, "case", "target"?, "since", "reason" or "issue"}.
What fails newly is run ten times more before it is called a regression.

Exit status: 0 nothing new, 1 regressions or new crashes, 2 usage or set-up,
3 no regression but something could not run, 130 interrupted.`,
		)
		.action(async (options: NightlyOptions) => {
			process.exitCode = await nightly(options, signal);
		});
}

async function nightly(options: NightlyOptions, signal: AbortSignal): Promise<number> {
	const {kernel, match, hours, json, source, history: directory = cacheDirectory('history')} = options;
	const from = {signal, ...(source !== undefined && {source})};
	const known = options.known === undefined ? [] : await readKnownFailures(options.known);
	const {kernels} = await chooseKernels(kernel.length > 0 ? kernel : nightlyKernels(homeKernel), from);
	const cells = planCells({kernels, mechanisms: [bprobe], cases: allCases, match});
	using log = json === undefined ? undefined : new EventLog(json);
	using kept = new HistoryLog(directory, {onTrouble: say});
	using store = await openHistory(directory);
	const history = pastRuns(store);
	// One directory for all stages: each would push out the consoles of the ones before.
	const consoles = await openConsoles();
	const progress = openProgress({cells: cells.length, isTerminal: false});
	const {record, report} = await runNight({
		cells,
		known,
		hours,
		history,
		isAskedFor: id => kernel.includes(id),
		runCells: async (planned, {emit, isolation}) => runKernels({...from, cells: planned, emit, isolation, consoles}),
		emit(event) {
			log?.write(event);
			kept.write(event);
			progress.show(event);
		},
	}).finally(() => progress.end());

	const parts = [formatTable(record.cells, new Map(report.lost.map(({kernel: id, state}) => [id, state])))];
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

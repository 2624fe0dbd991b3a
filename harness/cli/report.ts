// SPDX-License-Identifier: GPL-2.0
import {writeFile} from 'node:fs/promises';
import {type Command, Option} from 'commander';
import {messageOf, UsageError} from '../host/errors.ts';
import {say} from '../host/say.ts';
import {compareRuns, type DurationHistory} from '../results/compare/compare-runs.ts';
import {NoSuchRunYetError} from '../results/history/find-run.ts';
import type {HistoryStore} from '../results/history/store.ts';
import {trendsOf} from '../results/history/trends.ts';
import {type Format, type ReportFormat, reportFormats} from '../results/reports/formats.ts';
import {cellKey} from '../results/run/cell-summary.ts';
import {counted} from '../results/run/counted.ts';
import {type RunRecord, readRun} from '../results/run/read-run.ts';
import {readNamed} from './compare.ts';
import {openHistory} from './history.ts';
import {historyOption} from './shared-options.ts';

export type ReportOptions = {
	readonly format: ReportFormat;
	readonly out?: string;
	readonly baseline?: string;
	readonly history?: string;
};

export function addReport(command: Command): void {
	command
		.argument('<file...>', 'events written by run --json; of several files the newest run is reported')
		.addOption(
			new Option('--format <name>', 'format of the report').choices(Object.keys(reportFormats)).default('html'),
		)
		.option('--out <file>', 'output file (default: standard output)')
		.option(
			'--baseline <run>',
			'show changes against this run first: a file of events, or an id, last or last-green of --history',
		)
		.addOption(historyOption())
		.addHelpText(
			'after',
			`
  html      one page: matrix, failures, and durations if --history or several files are given
  junit     XML for Jenkins and GitLab
  tap       TAP 14
  ktap      KTAP 1, as the kernel's own tests print it
  markdown  the summary of a CI job
  github    annotations; run prints them by itself if GITHUB_ACTIONS is set

Exit status: 0 the report was written, whatever the verdicts; 2 it was not.

Example: probe-matrix report events.jsonl --baseline yesterday.jsonl --out report.html`,
		)
		.action(async (files: readonly string[], options: ReportOptions) => {
			await report(files, options);
		});
}

/** Writes a report. Throws UsageError when a file cannot be read or written, or an option does not fit the format. */
export async function report(files: readonly string[], {format, out, baseline, history}: ReportOptions): Promise<void> {
	const {write, uses = []}: Format = reportFormats[format];
	if (files.length > 1 && !uses.includes('history'))
		throw new UsageError(`A ${format} report shows one run; merge several with \`probe-matrix merge\`.`);
	if (baseline !== undefined && !uses.includes('baseline'))
		throw new UsageError(`A ${format} report shows no changes; omit --baseline.`);
	if (history !== undefined && !uses.includes('baseline'))
		throw new UsageError(`A ${format} report shows no history; omit --history.`);
	const [record, ...earlier] = newestFirst(await Promise.all(files.map(file => readRun(file))));
	if (!record) throw new UsageError('No file was given.');
	if (earlier.length > 0)
		say(`reporting run ${record.run.id}; its history has ${counted(earlier.length, 'earlier run')}.`);
	using store = history === undefined ? undefined : await openHistory(history);
	const before = baseline === undefined ? undefined : await readBaseline(baseline, store, record);
	const kept = store?.durationsBefore(record.run.id);
	const durations: DurationHistory | undefined =
		earlier.length > 0 ? historyOf(earlier.toReversed()) : kept && (cell => kept(cell).toReversed());
	const trends = trendsOf(store?.measured() ?? [], [record, ...earlier]);
	const text = write({
		record,
		...(before && {comparison: compareRuns(before, record, store?.durationsBefore(before.run.id))}),
		...(durations && {history: durations}),
		trends,
	});
	if (out === undefined) {
		process.stdout.write(text);
		return;
	}
	try {
		await writeFile(out, text);
	} catch (error) {
		throw new UsageError(`The report cannot be written: ${messageOf(error)}`, {cause: error});
	}
}

/** On the first run there is no baseline; this is reported, but is not an error. */
async function readBaseline(
	name: string,
	store: HistoryStore | undefined,
	{run}: RunRecord,
): Promise<RunRecord | undefined> {
	try {
		return await readNamed(name, store, {besides: run.id});
	} catch (error) {
		if (!(error instanceof NoSuchRunYetError)) throw error;
		say(`the report shows no changes. ${error.message}`);
		return undefined;
	}
}

function newestFirst(records: readonly RunRecord[]): RunRecord[] {
	return records.toSorted((a, b) => Date.parse(b.run.startedAt) - Date.parse(a.run.startedAt));
}

/** Durations of passed cells, oldest run first. */
function historyOf(records: readonly RunRecord[]): DurationHistory {
	const passed = records.flatMap(({cells}) => cells.filter(({verdict}) => verdict === 'pass'));
	const byCell = Map.groupBy(passed, cellKey);
	return cell => byCell.get(cellKey(cell))?.map(({durationMs}) => durationMs) ?? [];
}

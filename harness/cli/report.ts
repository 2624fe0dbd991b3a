import {writeFile} from 'node:fs/promises';
import {type Command, Option} from 'commander';
import {messageOf, UsageError} from '../host/errors.ts';
import {say} from '../host/say.ts';
import {cellKey} from '../results/cell-summary.ts';
import {compareRuns, type DurationHistory} from '../results/compare.ts';
import {NoSuchRunYetError} from '../results/find-run.ts';
import {type RunRecord, readRun} from '../results/read-run.ts';
import {type Format, type ReportFormat, reportFormats} from '../results/reports/formats.ts';
import type {HistoryStore} from '../results/store.ts';
import {trendsOf} from '../results/trends.ts';
import {readNamed} from './compare.ts';
import {openHistory} from './history.ts';

export type ReportOptions = {
	readonly format: ReportFormat;
	readonly out?: string;
	readonly baseline?: string;
	readonly history?: string;
};

export function addReport(command: Command): void {
	command
		.argument('<file...>', 'events of a run, as run --json writes them; of several the newest run is the one reported')
		.addOption(new Option('--format <name>', 'how it is written').choices(Object.keys(reportFormats)).default('html'))
		.option('--out <file>', 'where to; standard output without it')
		.option(
			'--baseline <run>',
			'a file of events, or an id, last or last-green of --history: what has changed comes first',
		)
		.option('--history <dir>', 'where runs are kept, by --history of run and nightly')
		.addHelpText(
			'after',
			`
  html      one page with the matrix, every failure and, given --history or several files, durations against earlier runs
  junit     XML for Jenkins and GitLab
  tap       TAP 14
  ktap      KTAP 1, as the kernel's own tests print it
  markdown  the summary of a CI job
  github    annotations; run prints them by itself where GITHUB_ACTIONS is set

Exit status: 0 the report is written, whatever it says of the run, 2 it is not.

Example: probe-matrix report events.jsonl --baseline yesterday.jsonl --out report.html`,
		)
		.action(async (files: readonly string[], options: ReportOptions) => {
			await report(files, options);
		});
}

/** Throws UsageError where a file cannot be read or written, or where an option has no place in the format. */
export async function report(files: readonly string[], {format, out, baseline, history}: ReportOptions): Promise<void> {
	const {write, uses = []}: Format = reportFormats[format];
	if (files.length > 1 && !uses.includes('history'))
		throw new UsageError(`A report as ${format} is of one run; \`probe-matrix merge\` makes one of many.`);
	if (baseline !== undefined && !uses.includes('baseline'))
		throw new UsageError(`A report as ${format} has no place for what has changed; leave --baseline out.`);
	if (history !== undefined && !uses.includes('baseline'))
		throw new UsageError(`A report as ${format} has no place for a history; leave --history out.`);
	const [record, ...earlier] = newestFirst(await Promise.all(files.map(file => readRun(file))));
	if (!record) throw new UsageError('There is no file to report.');
	if (earlier.length > 0) say(`the report is of run ${record.run.id}; ${earlier.length} earlier ones are its history.`);
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

/** A first night has nothing to be compared with, which is said and is no failure. */
async function readBaseline(
	name: string,
	store: HistoryStore | undefined,
	{run}: RunRecord,
): Promise<RunRecord | undefined> {
	try {
		return await readNamed(name, store, {besides: run.id});
	} catch (error) {
		if (!(error instanceof NoSuchRunYetError)) throw error;
		say(`the report says nothing of what has changed. ${error.message}`);
		return undefined;
	}
}

function newestFirst(records: readonly RunRecord[]): RunRecord[] {
	return records.toSorted((a, b) => Date.parse(b.run.startedAt) - Date.parse(a.run.startedAt));
}

/** What cells took when they passed, the oldest run first. */
function historyOf(records: readonly RunRecord[]): DurationHistory {
	const passed = records.flatMap(({cells}) => cells.filter(({verdict}) => verdict === 'pass'));
	const byCell = Map.groupBy(passed, cellKey);
	return cell => byCell.get(cellKey(cell))?.map(({durationMs}) => durationMs) ?? [];
}

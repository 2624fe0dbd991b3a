import type {Command} from 'commander';
import {say} from '../host/say.ts';
import {EventLog} from '../results/event-log.ts';
import {HistoryLog} from '../results/history-log.ts';
import {sumOfNotRun} from '../results/kernel-summary.ts';
import {eventsOf, mergeRuns} from '../results/merge.ts';
import {readRun} from '../results/read-run.ts';
import {formatCounts} from '../results/table.ts';
import {forJob} from './job-output.ts';
import {collect} from './option-values.ts';

type MergeOptions = {readonly kernel: readonly string[]; readonly json: string; readonly history?: string};

export function addMerge(command: Command): void {
	command
		.argument('<file...>', 'files of events, written by run --json')
		.option('--kernel <id>', 'a kernel that has to be in one of them; may be given again', collect, [])
		.option('--json <file>', 'write the events of the whole there; - is standard output', '-')
		.option('--history <dir>', 'keep the whole there, too')
		.addHelpText(
			'after',
			'\nExit status: that of the whole run; 2 where the files are no parts of one, 3 where a part or kernel is missing.',
		)
		.action(async (files: readonly string[], options: MergeOptions) => {
			process.exitCode = await merge(files, options);
		});
}

async function merge(files: readonly string[], {kernel, json, history}: MergeOptions): Promise<number> {
	const parts = await Promise.all(files.map(async name => ({name, record: await readRun(name)})));
	const {record, missing, lost, interrupted, exitCode} = mergeRuns(parts, {expected: kernel});
	for (const {index, kernels} of missing) say(`shard ${index} is missing: ${kernels.join(', ')}.`);
	for (const id of lost) say(`${id} is missing: it is in none of these.`);
	for (const name of interrupted) say(`${name} was interrupted.`);
	using log = new EventLog(json);
	using kept = history === undefined ? undefined : new HistoryLog(history, {onTrouble: say});
	for (const event of eventsOf(record)) {
		log.write(event);
		kept?.write(event);
	}
	kept?.close();
	say(`${parts.length} runs: ${formatCounts(record.cells, sumOfNotRun(record.kernels))}`);
	(json === '-' ? process.stderr : process.stdout).write(forJob('', record));
	return exitCode;
}

import type {Command} from 'commander';
import {say} from '../host/say.ts';
import {EventLog} from '../results/event-log.ts';
import {HistoryLog} from '../results/history-log.ts';
import {eventsOf, mergeRuns} from '../results/merge.ts';
import {readRun} from '../results/read-run.ts';
import {formatCounts} from '../results/table.ts';

type MergeOptions = {readonly json: string; readonly history?: string};

export function addMerge(program: Command): void {
	program
		.command('merge')
		.argument('<file...>', 'files of events, written by run --json')
		.option('--json <file>', 'write the events of the whole there; - is standard output', '-')
		.option('--history <dir>', 'keep the whole there, too')
		.description('makes one run of its parts: shards, or runs of different kernels')
		.addHelpText(
			'after',
			'\nExit status: that of the whole run; 2 where the files are no parts of one, 3 where a part is missing.',
		)
		.action(async (files: readonly string[], options: MergeOptions) => {
			process.exitCode = await merge(files, options);
		});
}

async function merge(files: readonly string[], {json, history}: MergeOptions): Promise<number> {
	const parts = await Promise.all(files.map(async name => ({name, record: await readRun(name)})));
	const {record, missing, interrupted, exitCode} = mergeRuns(parts);
	for (const {index, kernels} of missing) say(`shard ${index} is missing: ${kernels.join(', ')}.`);
	for (const name of interrupted) say(`${name} was interrupted.`);
	using log = new EventLog(json);
	const kept = history === undefined ? undefined : new HistoryLog(history, {onTrouble: say});
	for (const event of eventsOf(record)) {
		log.write(event);
		kept?.write(event);
	}
	kept?.close();
	say(`${parts.length} runs: ${formatCounts(record.cells)}`);
	return exitCode;
}

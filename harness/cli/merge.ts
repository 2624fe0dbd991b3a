// SPDX-License-Identifier: GPL-2.0
import type {Command} from 'commander';
import {say} from '../host/say.ts';
import {HistoryLog} from '../results/history/history-log.ts';
import {counted} from '../results/run/counted.ts';
import {EventLog} from '../results/run/event-log.ts';
import {sumOfNotRun} from '../results/run/kernel-summary.ts';
import {eventsOf, mergeRuns} from '../results/run/merge-runs.ts';
import {readRun} from '../results/run/read-run.ts';
import {formatCounts} from '../results/run/table.ts';
import {forJob} from './job-output.ts';
import {repeatable} from './option-values.ts';

type MergeOptions = {readonly kernel: readonly string[]; readonly json: string; readonly history?: string};

export function addMerge(command: Command): void {
	command
		.argument('<file...>', 'events of a shard or run, written by run --json')
		.addOption(repeatable('--kernel <id>', 'kernel that must be in one of the files', 'none'))
		.option('--json <file>', 'write the merged events; - is standard output', '-')
		.option('--history <dir>', 'also keep the merged run in this directory of past runs')
		.addHelpText(
			'after',
			'\nExit status: that of the merged run; 2 if the files are not shards of one run,\n3 if a shard or a kernel is missing.',
		)
		.action(async (files: readonly string[], options: MergeOptions) => {
			process.exitCode = await merge(files, options);
		});
}

async function merge(files: readonly string[], {kernel, json, history}: MergeOptions): Promise<number> {
	const parts = await Promise.all(files.map(async name => ({name, record: await readRun(name)})));
	const {record, missing, lost, interrupted, exitCode} = mergeRuns(parts, {expected: kernel});
	for (const {index, kernels} of missing) say(`shard ${index} is missing: ${kernels.join(', ')}.`);
	for (const id of lost) say(`kernel ${id} is missing: none of the files has it.`);
	for (const name of interrupted) say(`${name} was interrupted.`);
	using log = new EventLog(json);
	using kept = history === undefined ? undefined : new HistoryLog(history, {onTrouble: say});
	for (const event of eventsOf(record)) {
		log.write(event);
		kept?.write(event);
	}
	kept?.close();
	say(`${counted(parts.length, 'run')}: ${formatCounts(record.cells, sumOfNotRun(record.kernels))}`);
	(json === '-' ? process.stderr : process.stdout).write(forJob('', record));
	return exitCode;
}

// SPDX-License-Identifier: GPL-2.0
import {existsSync} from 'node:fs';
import type {Command} from 'commander';
import {UsageError} from '../host/errors.ts';
import {say} from '../host/say.ts';
import {compareRuns} from '../results/compare/compare-runs.ts';
import {formatComparison} from '../results/compare/format-comparison.ts';
import {findRun} from '../results/history/find-run.ts';
import type {HistoryStore} from '../results/history/store.ts';
import {summarizeKernels} from '../results/run/kernel-summary.ts';
import {type RunRecord, readRun} from '../results/run/read-run.ts';
import {openHistory} from './history.ts';
import {forJob} from './job-output.ts';
import {historyOption} from './shared-options.ts';

export function addCompare(command: Command): void {
	command
		.argument('<before>', "file of events, a run's id, last or last-green")
		.argument('<after>', 'the run to compare with it, named likewise')
		.addOption(historyOption())
		.addHelpText(
			'after',
			'\nExit status: 0 no new failure, 1 new failures, 2 wrong usage, 3 no new\nfailure, but <after> was interrupted or lacks a kernel of <before>.',
		)
		.action(async (before: string, after: string, {history}: {history?: string}) => {
			process.exitCode = await compare(before, after, history);
		});
}

async function compare(before: string, after: string, directory?: string): Promise<number> {
	using store = directory === undefined ? undefined : await openHistory(directory);
	const now = await readNamed(after, store);
	const old = await readNamed(before, store, {besides: now.run.id});
	const comparison = compareRuns(old, now, store?.durationsBefore(old.run.id));
	process.stdout.write(forJob(formatComparison(comparison, old, now)));
	const lost = readyKernels(old).difference(readyKernels(now));
	if (lost.size > 0) say(`${after} lacks ${[...lost].join(', ')}.`);
	return comparison.newFailures.length > 0 ? 1 : now.isInterrupted || lost.size > 0 ? 3 : 0;
}

function readyKernels({kernels}: RunRecord): Set<string> {
	const summaries = [...summarizeKernels(kernels).values()];
	return new Set(summaries.filter(({state}) => state === 'ready').map(({kernel}) => kernel));
}
/**
 * Reads a run: an existing file of events, or else an id, `last` or `last-green` of a history. Ids contain no slash, so
 * a path is never one. Throws UsageError for a missing file.
 */
export async function readNamed(
	name: string,
	store: HistoryStore | undefined,
	options: Parameters<typeof findRun>[2] = {},
): Promise<RunRecord> {
	if (existsSync(name)) return readRun(name);
	if (store) return store.read(findRun(store, name, options).id);
	throw new UsageError(`There is no file ${name}. An id, last or last-green needs --history DIR.`);
}

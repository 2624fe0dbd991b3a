// SPDX-License-Identifier: GPL-2.0
import type {Command} from 'commander';
import {say} from '../host/say.ts';
import {fit} from '../results/compare/format-comparison.ts';
import {type CellStatistics, cellStatistics} from '../results/history/flakes.ts';
import type {StoredRun} from '../results/history/index-rows.ts';
import {pruneHistory} from '../results/history/prune.ts';
import {HistoryStore} from '../results/history/store.ts';
import {cellTitle} from '../results/run/cell-name.ts';
import {counted} from '../results/run/counted.ts';
import {wholeNumber} from './option-values.ts';
import {historyOption} from './shared-options.ts';

type HistoryOption = {readonly history: string};

export function addHistory(history: Command): void {
	history
		.command('list')
		.addOption(historyOption().makeOptionMandatory())
		.description('list past runs and how they ended')
		.action(async ({history: directory}: HistoryOption) => {
			using store = await openHistory(directory);
			process.stdout.write(store.runs().map(formatRun).join(''));
		});
	history
		.command('cells')
		.addOption(historyOption().makeOptionMandatory())
		.description('list flaky and broken cells')
		.action(async ({history: directory}: HistoryOption) => {
			using store = await openHistory(directory);
			const odd = [...store.cells()]
				.map(cellStatistics)
				.filter(({status}) => status === 'flaky' || status === 'broken');
			process.stdout.write(odd.length === 0 ? 'no cell is flaky or broken\n' : odd.map(formatStatistics).join('\n'));
		});
	history
		.command('prune')
		.addOption(historyOption().makeOptionMandatory())
		.option('--keep <n>', 'keep the n newest runs', wholeNumber(1))
		.option('--older-than <days>', 'remove runs older than this', wholeNumber(1))
		.description('remove old runs, but never the last green run of a command')
		.action(async ({history: directory, keep, olderThan}: HistoryOption & {keep?: number; olderThan?: number}) => {
			using store = await openHistory(directory);
			const removed = await pruneHistory(store, {
				...(keep !== undefined && {keep}),
				...(olderThan !== undefined && {olderThanDays: olderThan}),
			});
			process.stdout.write(`${counted(removed.length, 'run')} removed, ${store.runs().length} kept\n`);
		});
}

/** Opens a history and reports what in it cannot be read. */
export async function openHistory(directory: string): Promise<HistoryStore> {
	const store = await HistoryStore.open(directory);
	for (const {problem} of store.problems()) say(`skipped: ${problem}`);
	return store;
}

function formatRun({id, command, isRunning, isInterrupted, isShard, exitCode, counts, kernels}: StoredRun): string {
	const state = isRunning ? 'running' : isInterrupted ? 'interrupted' : `exit ${exitCode}`;
	const words = Object.entries(counts).map(([verdict, count]) => `${count} ${verdict}`);
	const what = isShard ? `${command}, part` : command;
	return `${id}  ${what.padEnd(9)}  ${state.padEnd(11)}  ${counted(kernels.length, 'kernel').padEnd(9)}  ${words.join(', ')}\n`;
}

function formatStatistics(cell: CellStatistics): string {
	const {passes, total, interval, status, brokenSince, firstSeen, lastSeen} = cell;
	const percent = (share: number) => `${Math.round(share * 100)} %`;
	const word = brokenSince === undefined ? status : `broken since ${brokenSince}`;
	return [
		fit(`${cell.kernel} ${cellTitle(cell)}`, 80),
		`  ${word}; passed ${passes} of ${total} (${percent(interval.low)} to ${percent(interval.high)})`,
		`  first seen ${firstSeen}, last ${lastSeen}`,
		'',
	].join('\n');
}

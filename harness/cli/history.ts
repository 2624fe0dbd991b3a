import type {Command} from 'commander';
import {say} from '../host/say.ts';
import {cellTitle} from '../results/events.ts';
import {type CellStatistics, cellStatistics} from '../results/flakes.ts';
import {fit} from '../results/format-comparison.ts';
import {pruneHistory} from '../results/prune.ts';
import {HistoryStore} from '../results/store.ts';
import type {StoredRun} from '../results/stored.ts';
import {wholeNumber} from './option-values.ts';

type HistoryOption = {readonly history: string};

export function addHistory(history: Command): void {
	history
		.command('list')
		.requiredOption('--history <dir>', 'where they are kept')
		.description('which runs there are, and how they ended')
		.action(async ({history: directory}: HistoryOption) => {
			using store = await openHistory(directory);
			process.stdout.write(store.runs().map(formatRun).join(''));
		});
	history
		.command('cells')
		.requiredOption('--history <dir>', 'where they are kept')
		.description('cells that fail at times, or do not pass any more')
		.action(async ({history: directory}: HistoryOption) => {
			using store = await openHistory(directory);
			const odd = [...store.cells()]
				.map(cellStatistics)
				.filter(({status}) => status === 'flaky' || status === 'broken');
			process.stdout.write(odd.length === 0 ? 'no cell is flaky or broken\n' : odd.map(formatStatistics).join('\n'));
		});
	history
		.command('prune')
		.requiredOption('--history <dir>', 'where they are kept')
		.option('--keep <n>', 'keep so many runs, the newest', wholeNumber(1))
		.option('--older-than <days>', 'remove runs that are older', wholeNumber(1))
		.description('removes old runs; the last green one of each command stays')
		.action(async ({history: directory, keep, olderThan}: HistoryOption & {keep?: number; olderThan?: number}) => {
			using store = await openHistory(directory);
			const removed = await pruneHistory(store, {
				...(keep !== undefined && {keep}),
				...(olderThan !== undefined && {olderThanDays: olderThan}),
			});
			process.stdout.write(`${removed.length} runs removed, ${store.runs().length} kept\n`);
		});
}

/** Says what of it cannot be read. */
export async function openHistory(directory: string): Promise<HistoryStore> {
	const store = await HistoryStore.open(directory);
	for (const {problem} of store.problems()) say(`left out: ${problem}`);
	return store;
}

function formatRun({id, command, isRunning, isInterrupted, isShard, exitCode, counts, kernels}: StoredRun): string {
	const state = isRunning ? 'running' : isInterrupted ? 'interrupted' : `exit ${exitCode}`;
	const words = Object.entries(counts).map(([verdict, count]) => `${count} ${verdict}`);
	const what = isShard ? `${command}, part` : command;
	return `${id}  ${what.padEnd(9)}  ${state.padEnd(11)}  ${kernels.length} kernels  ${words.join(', ')}\n`;
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

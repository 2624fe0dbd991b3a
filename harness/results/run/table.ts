// SPDX-License-Identifier: GPL-2.0
import {styleText} from 'node:util';
import {cellTitle, countVerdicts, suiteOf} from './cell-name.ts';
import type {CellEvent} from './events.ts';
import {orderFor, type ReadingOrder} from './reading-order.ts';
import {isGreen, type Verdict, verdicts} from './verdict.ts';

const colours: Readonly<Record<Verdict, Parameters<typeof styleText>[0]>> = {
	pass: 'green',
	known: 'cyan',
	fail: 'red',
	crash: 'red',
	hang: 'red',
	inconclusive: 'yellow',
	skip: 'gray',
	infra: 'magenta',
};

export function paintVerdict(verdict: Verdict, text: string = verdict): string {
	return styleText(colours[verdict], text);
}

export type TableOptions = {
	/** Requested kernels that were unusable, with the word to show. */
	readonly missing?: ReadonlyMap<string, string>;
	/** From the run event; default: the order of the cells. */
	readonly order?: ReadingOrder | undefined;
};

/** Passed cells per suite: of one kernel by target and with times, of several by kernel. Fits into 80 columns. */
export function formatTable(cells: readonly CellEvent[], {missing = new Map(), order}: TableOptions = {}): string {
	const kernels = [...new Set([...cells.map(({kernel}) => kernel), ...missing.keys()])];
	if (kernels.length === 1 && missing.size === 0) return formatOneKernel(kernels[0]!, cells, order);
	return blocksOf(kernels)
		.map(block => formatKernels(block, cells, {missing, order}))
		.join('\n');
}

function formatOneKernel(kernel: string, cells: readonly CellEvent[], order: ReadingOrder | undefined): string {
	const {suites, targets} = orderFor(cells, order);
	return formatGrid(
		[kernel, ...targets.map(target => target ?? '–'), 'cells', 'time'],
		[...suites, undefined].map(suite => {
			const inSuite = cells.filter(cell => suite === undefined || suiteOf(cell) === suite);
			const perTarget = targets.map(target => formatCount(inSuite.filter(cell => cell.target === target)));
			return {
				words: [suite ?? 'all', ...perTarget, formatCount(inSuite), formatTime(inSuite)],
				isBad: !inSuite.every(isGreen),
			};
		}),
	);
}

function formatKernels(
	kernels: readonly string[],
	cells: readonly CellEvent[],
	{missing = new Map(), order}: TableOptions,
): string {
	const rows = [...orderFor(cells, order).suites, undefined].map(suite => {
		const inSuite = cells.filter(cell => suite === undefined || suiteOf(cell) === suite);
		const perKernel = kernels.map(kernel => {
			const word = suite === undefined ? missing.get(kernel) : undefined;
			return word ?? formatCount(inSuite.filter(cell => cell.kernel === kernel));
		});
		const isMissing = suite === undefined && kernels.some(kernel => missing.has(kernel));
		return {
			words: [suite ?? 'all', ...perKernel],
			isBad: isMissing || !inSuite.filter(({kernel}) => kernels.includes(kernel)).every(isGreen),
		};
	});
	const times = kernels.map(kernel => formatTime(cells.filter(cell => cell.kernel === kernel)));
	return formatGrid(['', ...kernels], rows, ['time', ...times]);
}

/** Splits kernels into blocks that fit side by side into 80 columns. */
function blocksOf(kernels: readonly string[]): string[][] {
	const blocks: string[][] = [];
	let room = 0;
	for (const kernel of kernels) {
		const width = Math.max(kernel.length, 'unavailable'.length) + 2;
		room -= width;
		if (room < 0) {
			blocks.push([]);
			room = 80 - 'tooling'.length - width;
		}
		blocks.at(-1)!.push(kernel);
	}
	return blocks;
}

/** Puts a rule above the last row; `foot` follows it. */
function formatGrid(
	header: readonly string[],
	rows: readonly {readonly words: readonly string[]; readonly isBad: boolean}[],
	foot?: readonly string[],
): string {
	const all = [header, ...rows.map(({words}) => words), ...(foot ? [foot] : [])];
	const widths = header.map((_, column) => Math.max(...all.map(row => row[column]!.length)));
	const line = (words: readonly string[]) =>
		words
			.map((word, column) => (column === 0 ? word.padEnd(widths[column]!) : word.padStart(widths[column]!)))
			.join('  ')
			.trimEnd();
	const rule = widths.map(width => '─'.repeat(width)).join('──');
	const painted = rows.map(({words, isBad: bad}) => (bad ? styleText('red', line(words)) : line(words)));
	return [
		styleText('bold', line(header)),
		...(painted.length > 1 ? [rule, ...painted.slice(0, -1)] : []),
		rule,
		painted.at(-1)!,
		...(foot ? [line(foot)] : []),
		'',
	].join('\n');
}

/** For example `12 pass, 1 fail, 2 crash, 214 not run`: the verdicts that occur, and cells without one. */
export function formatCounts(cells: readonly CellEvent[], notRun = 0): string {
	const counts = countVerdicts(cells);
	if (cells.length + notRun === 0) return 'nothing ran';
	const flaky = cells.filter(cell => cell.flaky).length;
	const words = [
		...verdicts
			.filter(verdict => counts[verdict] > 0)
			.map(verdict => paintVerdict(verdict, `${counts[verdict]} ${verdict}`)),
		...(notRun > 0 ? [paintVerdict('infra', `${notRun} not run`)] : []),
	].join(', ');
	return flaky > 0 ? `${words} (${flaky} flaky)` : words;
}

/** `4` if all passed, else `3/4`. */
function formatCount(cells: readonly CellEvent[]): string {
	if (cells.length === 0) return '·';
	const passed = cells.filter(({verdict}) => verdict === 'pass').length;
	return passed === cells.length ? `${passed}` : `${passed}/${cells.length}`;
}

function formatTime(cells: readonly CellEvent[]): string {
	return `${(cells.reduce((sum, {durationMs}) => sum + durationMs, 0) / 1000).toFixed(1)} s`;
}

/** A line of progress for a finished cell. */
export function formatCell(cell: Omit<CellEvent, 'type'>): string {
	const time = `${(cell.durationMs / 1000).toFixed(2)} s`;
	const flaky = cell.flaky ? ', flaky' : '';
	return `${paintVerdict(cell.verdict, cell.verdict.padEnd(12))} ${cell.kernel} ${cellTitle(cell)} ${styleText('gray', `${time}${flaky}`)}`;
}

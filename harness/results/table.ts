import {styleText} from 'node:util';
import {type CellEvent, cellTitle, countVerdicts, suiteOf, type Verdict, verdicts} from './events.ts';

const colours: Readonly<Record<Verdict, Parameters<typeof styleText>[0]>> = {
	pass: 'green',
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

/**
 * How many cells of each suite passed of how many: for one kernel by target, with their time, for several by kernel.
 * `missing` are kernels that were asked for and did not run, each with the word for it. Fits into 80 columns.
 */
export function formatTable(cells: readonly CellEvent[], missing: ReadonlyMap<string, string> = new Map()): string {
	const kernels = [...new Set([...cells.map(({kernel}) => kernel), ...missing.keys()])];
	if (kernels.length === 1 && missing.size === 0) return formatOneKernel(kernels[0]!, cells);
	return blocksOf(kernels)
		.map(block => formatKernels(block, cells, missing))
		.join('\n');
}

function formatOneKernel(kernel: string, cells: readonly CellEvent[]): string {
	const targets = [...new Set(cells.map(targetOf))].sort((a, b) => targetOrder(a) - targetOrder(b));
	return formatGrid(
		[kernel, ...targets, 'cells', 'time'],
		[...suitesOf(cells), undefined].map(suite => {
			const inSuite = cells.filter(cell => suite === undefined || suiteOf(cell) === suite);
			const perTarget = targets.map(target => formatCount(inSuite.filter(cell => targetOf(cell) === target)));
			return {words: [suite ?? 'all', ...perTarget, formatCount(inSuite), formatTime(inSuite)], isBad: isBad(inSuite)};
		}),
	);
}

function formatKernels(
	kernels: readonly string[],
	cells: readonly CellEvent[],
	missing: ReadonlyMap<string, string>,
): string {
	const rows = [...suitesOf(cells), undefined].map(suite => {
		const inSuite = cells.filter(cell => suite === undefined || suiteOf(cell) === suite);
		const perKernel = kernels.map(kernel => {
			const word = suite === undefined ? missing.get(kernel) : undefined;
			return word ?? formatCount(inSuite.filter(cell => cell.kernel === kernel));
		});
		const isMissing = suite === undefined && kernels.some(kernel => missing.has(kernel));
		return {
			words: [suite ?? 'all', ...perKernel],
			isBad: isMissing || isBad(inSuite.filter(({kernel}) => kernels.includes(kernel))),
		};
	});
	const times = kernels.map(kernel => formatTime(cells.filter(cell => cell.kernel === kernel)));
	return formatGrid(['', ...kernels], rows, ['time', ...times]);
}

/** As many kernels side by side as 80 columns have room for. */
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

/** The last row stands below a rule; `foot` comes after it. */
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

/** `12 pass, 1 fail, 2 crash, 214 not run`: every verdict that occurs, and what has none. */
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

/** `4`, where all passed; `3/4` where not. */
function formatCount(cells: readonly CellEvent[]): string {
	if (cells.length === 0) return '·';
	const passed = cells.filter(({verdict}) => verdict === 'pass').length;
	return passed === cells.length ? `${passed}` : `${passed}/${cells.length}`;
}

function isBad(cells: readonly CellEvent[]): boolean {
	return cells.some(({verdict}) => verdict !== 'pass' && verdict !== 'skip');
}

function formatTime(cells: readonly CellEvent[]): string {
	return `${(cells.reduce((sum, {durationMs}) => sum + durationMs, 0) / 1000).toFixed(1)} s`;
}

/** Each once, in the order in which they are read. */
export function suitesOf(cells: readonly CellEvent[]): readonly string[] {
	return [...new Set(cells.map(suiteOf))].sort((a, b) => suiteOrder(a) - suiteOrder(b));
}

/** Cells finish in any order; suites are read in that of the plan, others after them. */
export function suiteOrder(suite: string): number {
	const order = ['module', 'entry', 'return', 'race', 'multi', 'tooling'].indexOf(suite);
	return order < 0 ? Number.MAX_SAFE_INTEGER : order;
}

function targetOf(cell: CellEvent): string {
	return cell.target ?? '–';
}

/** Its place among columns; one that is not known comes before all others. */
export function targetOrder(target: string): number {
	return ['–', 'asm', 'asm-fentry', 'c', 'vmlinux'].indexOf(target);
}

/** One line of progress for a finished cell. */
export function formatCell(cell: Omit<CellEvent, 'type'>): string {
	const time = `${(cell.durationMs / 1000).toFixed(2)} s`;
	const flaky = cell.flaky ? ', flaky' : '';
	return `${paintVerdict(cell.verdict, cell.verdict.padEnd(12))} ${cell.kernel} ${cellTitle(cell)} ${styleText('gray', `${time}${flaky}`)}`;
}

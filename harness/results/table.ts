import {styleText} from 'node:util';
import {type CellEvent, cellTitle, countVerdicts, type Verdict, verdicts} from './events.ts';

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

/** Suites × targets: how many cells passed of how many, what the others are, and the time. Fits into 80 columns. */
export function formatTable(cells: readonly CellEvent[]): string {
	const kernels = [...new Set(cells.map(({kernel}) => kernel))];
	return kernels
		.map(kernel =>
			formatKernel(
				kernel,
				cells.filter(cell => cell.kernel === kernel),
			),
		)
		.join('\n');
}

function formatKernel(kernel: string, cells: readonly CellEvent[]): string {
	const suites = [...new Set(cells.map(suiteOf))].sort((a, b) => suiteOrder(a) - suiteOrder(b));
	const targets = [...new Set(cells.map(targetOf))].sort((a, b) => targetOrder(a) - targetOrder(b));
	const rows = [...suites, undefined].map(suite => {
		const inSuite = cells.filter(cell => suite === undefined || suiteOf(cell) === suite);
		const perTarget = targets.map(target => formatCount(inSuite.filter(cell => targetOf(cell) === target)));
		const seconds = inSuite.reduce((sum, {durationMs}) => sum + durationMs, 0) / 1000;
		return [suite ?? 'all', ...perTarget, formatCount(inSuite), `${seconds.toFixed(1)} s`];
	});
	const header = [kernel, ...targets, 'cells', 'time'];
	const widths = header.map((title, column) => Math.max(title.length, ...rows.map(row => row[column]!.length)));
	const line = (words: readonly string[]) =>
		words
			.map((word, column) => (column === 0 ? word.padEnd(widths[column]!) : word.padStart(widths[column]!)))
			.join('  ')
			.trimEnd();
	const rule = widths.map(width => '─'.repeat(width)).join('──');
	const painted = rows.map((row, index) => {
		const suite = suites[index];
		const isBad = cells.some(
			cell => (suite === undefined || suiteOf(cell) === suite) && cell.verdict !== 'pass' && cell.verdict !== 'skip',
		);
		return isBad ? styleText('red', line(row)) : line(row);
	});
	return [styleText('bold', line(header)), rule, ...painted.slice(0, -1), rule, painted.at(-1)!, ''].join('\n');
}

/** `12 passed, 1 failed, 2 crash`: every verdict that occurs. */
export function formatCounts(cells: readonly CellEvent[]): string {
	const counts = countVerdicts(cells);
	const flaky = cells.filter(cell => cell.flaky).length;
	const words = verdicts
		.filter(verdict => counts[verdict] > 0)
		.map(verdict => paintVerdict(verdict, `${counts[verdict]} ${verdict}`))
		.join(', ');
	return flaky > 0 ? `${words} (${flaky} flaky)` : words;
}

/** `4`, where all passed; `3/4` where not. */
function formatCount(cells: readonly CellEvent[]): string {
	if (cells.length === 0) return '·';
	const passed = cells.filter(({verdict}) => verdict === 'pass').length;
	return passed === cells.length ? `${passed}` : `${passed}/${cells.length}`;
}

function suiteOf(cell: CellEvent): string {
	return cell.case.split('/')[0]!;
}

/** Cells finish in any order; suites are read in that of the plan, others after them. */
function suiteOrder(suite: string): number {
	const order = ['module', 'entry', 'return', 'race', 'multi', 'tooling'].indexOf(suite);
	return order < 0 ? Number.MAX_SAFE_INTEGER : order;
}

function targetOf(cell: CellEvent): string {
	return cell.target ?? '–';
}

function targetOrder(target: string): number {
	return ['–', 'asm', 'asm-fentry', 'c', 'vmlinux'].indexOf(target);
}

/** One line of progress for a finished cell. */
export function formatCell(cell: CellEvent): string {
	const time = `${(cell.durationMs / 1000).toFixed(2)} s`;
	const flaky = cell.flaky ? ', flaky' : '';
	return `${paintVerdict(cell.verdict, cell.verdict.padEnd(12))} ${cell.kernel} ${cellTitle(cell)} ${styleText('gray', `${time}${flaky}`)}`;
}

// SPDX-License-Identifier: GPL-2.0
import {styleText} from 'node:util';
import {cellTitle} from '../run/cell-name.ts';
import {type CellSummary, summarizeCells} from '../run/cell-summary.ts';
import {counted} from '../run/counted.ts';
import {sumOfNotRun} from '../run/kernel-summary.ts';
import {plainText} from '../run/plain-text.ts';
import type {RunRecord} from '../run/read-run.ts';
import {paintVerdict} from '../run/table.ts';
import type {ComparedCell, ComparedKernel, Comparison} from './compare-runs.ts';

const columns = 80;
/** Limit for the less interesting lists. */
const namedAtMost = 10;

/** Formats a comparison in at most 80 columns. */
export function formatComparison(comparison: Comparison, before: RunRecord, after: RunRecord): string {
	const {newFailures, lostKernels, regainedKernels, fixed, changedMessages, newSkips, slower, missing, added} =
		comparison;
	const parts = [
		`${runLine('before', before)}\n${runLine('after', after)}\n`,
		section('new failures', newFailures, cell => [verdicts(cell), ...said(cell.after)]),
		kernelSection('kernels that became unusable', lostKernels, kernel => [
			`${kernel.kernel}: ${kernel.state}; ${counted(kernel.cells, 'cell')} ran before`,
			...firstLine(kernel.reason),
		]),
		section('another message', changedMessages, cell => [verdicts(cell), ...said(cell.before), ...said(cell.after)]),
		section('no longer tested', newSkips, cell => [verdicts(cell), ...said(cell.after)]),
		section('slower', slower, ({before: old, after: now}) => [`${seconds(old)} → ${seconds(now)}`]),
		kernelSection('kernels that are usable again', regainedKernels, kernel => [
			`${kernel.kernel}: ${counted(kernel.cells, 'cell')}`,
		]),
		section('fixed', fixed, cell => [verdicts(cell)]),
		short(after.isInterrupted ? 'not reached, or gone' : 'gone', missing),
		short('new', added),
	].filter(part => part !== '');
	if (parts.length === 1) parts.push('no difference\n');
	return parts.join('\n');
}

function runLine(what: string, {run, kernels, cells, end, isInterrupted}: RunRecord): string {
	const state = isInterrupted ? styleText('yellow', 'interrupted') : `exit status ${end?.exitCode}`;
	// A finished run counts each cell once, although some may have been repeated.
	const ran = isInterrupted ? `${cells.length} of ${run.cells} cells` : counted(summarizeCells(cells).size, 'cell');
	const notRun = sumOfNotRun(kernels);
	const words = [ran, ...(notRun > 0 ? [`${notRun} not run`] : []), state];
	return `${what.padEnd(6)}  ${fit(run.id, 30)}  ${words.join(', ')}`;
}

function section(
	title: string,
	cells: readonly ComparedCell[],
	words: (cell: ComparedCell) => readonly string[],
): string {
	if (cells.length === 0) return '';
	const rows = cells.map(cell => {
		const [first = '', ...rest] = words(cell);
		const name = nameOf(cell, columns - 4 - first.length);
		return [`  ${name}  ${paint(first, cell)}`, ...rest.map(line => `    ${fit(line, columns - 4)}`)].join('\n');
	});
	return `${styleText('bold', `${title}: ${cells.length}`)}\n${rows.join('\n')}\n`;
}

function kernelSection(
	title: string,
	kernels: readonly ComparedKernel[],
	words: (kernel: ComparedKernel) => readonly string[],
): string {
	if (kernels.length === 0) return '';
	const rows = kernels.map(kernel => {
		const [first = '', ...rest] = words(kernel);
		return [`  ${fit(first, columns - 2)}`, ...rest.map(line => `    ${fit(line, columns - 4)}`)].join('\n');
	});
	return `${styleText('bold', `${title}: ${kernels.length}`)}\n${rows.join('\n')}\n`;
}

function short(title: string, cells: readonly ComparedCell[]): string {
	if (cells.length === 0) return '';
	const perKernel = [...Map.groupBy(cells, ({kernel}) => kernel)].map(([kernel, of]) => {
		const names = of.slice(0, namedAtMost).map(cell => `    ${fit(cellTitle(cell), columns - 4)}`);
		if (of.length > names.length) names.push(`    and ${of.length - names.length} more`);
		return `  ${fit(`${kernel}: ${of.length}`, columns - 2)}\n${names.join('\n')}`;
	});
	return `${styleText('bold', `${title}: ${cells.length}`)}\n${perKernel.join('\n')}\n`;
}

function nameOf(cell: ComparedCell, room: number): string {
	return fit(`${cell.kernel} ${cellTitle(cell)}`, room);
}

function verdicts({before, after}: ComparedCell): string {
	return `${before ? outcome(before) : 'new'} → ${after ? outcome(after) : 'gone'}`;
}

function paint(words: string, {after}: ComparedCell): string {
	return after ? paintVerdict(after.verdict, words) : words;
}

/** For example `fail`; with repeats, `fail (7 of 10)`: how many failed. */
export function outcome({verdict, passes, total}: CellSummary): string {
	return total > 1 && passes < total ? `${verdict} (${total - passes} of ${total})` : verdict;
}

function said(summary: CellSummary | undefined): readonly string[] {
	return firstLine(summary?.message);
}

function firstLine(text = ''): readonly string[] {
	const [line] = plainText(text).trim().split('\n');
	return line ? [line] : [];
}

function seconds(summary: CellSummary | undefined): string {
	return `${((summary?.durationMs ?? 0) / 1000).toFixed(2)} s`;
}

/** Cuts the middle of a long text, because both ends of a path or title are more telling. */
export function fit(text: string, room: number): string {
	if (text.length <= room) return text;
	const kept = Math.max(2, room - 1);
	return `${text.slice(0, Math.ceil(kept / 2))}…${text.slice(text.length - Math.floor(kept / 2))}`;
}

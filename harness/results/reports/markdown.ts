// SPDX-License-Identifier: GPL-2.0
import {stripVTControlCharacters} from 'node:util';
import {cellTitle, countVerdicts} from '../run/cell-name.ts';
import type {CellEvent} from '../run/events.ts';
import {formatFailure, formatKernelFailure} from '../run/failure.ts';
import {type KernelSummary, sumOfNotRun} from '../run/kernel-summary.ts';
import type {RunRecord} from '../run/read-run.ts';
import {isGreen, verdicts} from '../run/verdict.ts';
import {changeGroups, nightGroups} from './changes.ts';
import {type Conformance, conformanceOf} from './conformance.ts';
import {visible, visibleLine} from './escape-control.ts';
import type {ReportInput} from './input.ts';
import {columnsOf, interruption, type KernelResult, missingKernel, whyMissing} from './kernel-results.ts';

/** GitHub rejects a step summary above 1 MiB as a whole, and other tools may write to the same file. */
const mostBytes = 900_000;

/** Summary for a CI job: counts, a table of kernels, changes, and as many failures as fit. */
export function formatMarkdown({record, comparison}: ReportInput, {limitBytes = mostBytes} = {}): string {
	const columns = columnsOf(record);
	const interrupted = interruption(record);
	const lines = [
		`## probe-matrix: ${quote(countsOf(record))}`,
		'',
		...(interrupted ? [`> **Interrupted.** ${interrupted}`, ''] : []),
		'| kernel | release | cells that pass | time | not passed |',
		'| --- | --- | ---: | ---: | --- |',
		...columns.map(rowOf),
		'',
		...formatConformance(conformanceOf(record.cells, record.run.order)),
		...formatGroups(nightGroups(record.end?.findings ?? [])),
		...(comparison ? formatChanges(changeGroups(comparison)) : []),
	];
	const kernels = columns.map(missingKernel).filter(kernel => kernel !== undefined);
	const failures = columns.flatMap(({cells}) => cells.filter(cell => !isGreen(cell)));
	return limit(lines, [...kernels.map(formatKernel), ...failures.map(formatCell)], limitBytes);
}

/** Cases × mechanisms: the answer, with the kernels where it is not the same on all. */
function formatConformance(conformance: Conformance | undefined): string[] {
	if (!conformance) return [];
	const {mechanisms, rows} = conformance;
	return [
		`| property | ${mechanisms.map(quote).join(' | ')} |`,
		`| --- |${' --- |'.repeat(mechanisms.length)}`,
		...rows.map(row => {
			const words = mechanisms.map(mechanism => {
				const byAnswer = Map.groupBy(row.fields.get(mechanism) ?? [], ({answer}) => answer);
				return [...byAnswer]
					.map(([answer, fields]) =>
						byAnswer.size > 1 ? `${answer}: ${fields.map(({kernel}) => quote(kernel)).join(', ')}` : answer,
					)
					.join('; ');
			});
			return `| ${quote(row.case)} | ${words.join(' | ')} |`;
		}),
		'',
	];
}

function countsOf({cells, kernels}: RunRecord): string {
	const counts = countVerdicts(cells);
	const words = verdicts.filter(verdict => counts[verdict] > 0).map(verdict => `${counts[verdict]} ${verdict}`);
	const notRun = sumOfNotRun(kernels);
	if (notRun > 0) words.push(`${notRun} not run`);
	return words.join(', ') || 'nothing ran';
}

function rowOf(column: KernelResult): string {
	const {kernel, summary, cells} = column;
	const why = whyMissing(column);
	const counts = countVerdicts(cells);
	const others = verdicts.filter(verdict => verdict !== 'pass' && counts[verdict] > 0);
	const words = others.map(verdict => `${counts[verdict]} ${verdict}`);
	const time = `${(cells.reduce((sum, {durationMs}) => sum + durationMs, 0) / 1000).toFixed(1)} s`;
	const rest = [...words, ...(why === undefined ? [] : [`**${summary?.state}**: ${quote(why)}`])].join(', ');
	return `| ${quote(kernel)} | ${quote(summary?.release ?? '')} | ${counts.pass}/${cells.length} | ${time} | ${rest} |`;
}

function formatChanges(groups: ReturnType<typeof changeGroups>): string[] {
	if (groups.length === 0) return ['Nothing has changed against the baseline.', ''];
	return formatGroups(groups);
}

function formatGroups(groups: ReturnType<typeof changeGroups>): string[] {
	return groups.flatMap(({title, cells}) => [
		`**${title}** (${cells.length})`,
		'',
		...cells.slice(0, 50).map(({kernel, name, words}) => `- ${quote(`${kernel} › ${name}`)}: ${quote(words)}`),
		...(cells.length > 50 ? [`- and ${cells.length - 50} more`] : []),
		'',
	]);
}

function formatCell(cell: CellEvent): string {
	return formatDetails(`${cell.verdict} ${cell.kernel} › ${cellTitle(cell)}`, formatFailure(cell));
}

function formatKernel(kernel: KernelSummary): string {
	return formatDetails(`${kernel.state} ${kernel.kernel}`, formatKernelFailure(kernel));
}

function formatDetails(summary: string, painted: string): string {
	const text = visible(stripVTControlCharacters(painted));
	// A line with as many backticks would close the fence.
	const fence = '`'.repeat(Math.max(3, ...(text.match(/`+/g) ?? []).map(run => run.length + 1)));
	const title = `<code>${escapeHtml(summary)}</code>`;
	return `<details><summary>${title}</summary>\n\n${fence}text\n${text}\n${fence}\n\n</details>\n`;
}

function limit(lines: readonly string[], details: readonly string[], limitBytes: number): string {
	const head = lines.join('\n');
	// Reserved for the sentence about omitted failures.
	let room = limitBytes - Buffer.byteLength(head) - 200;
	const shown: string[] = [];
	for (const text of details) {
		room -= Buffer.byteLength(text) + 1;
		if (room < 0) break;
		shown.push(text);
	}
	const left = details.length - shown.length;
	const verb = left === 1 ? 'is' : 'are';
	const rest = left > 0 ? `\n${left} more ${verb} omitted here; \`probe-matrix report\` shows all.\n` : '';
	return `${head}\n${shown.join('\n')}${rest}`;
}

/** Escapes text for a line of Markdown, in which HTML is active, too. Long text is cut, because all lines must fit. */
function quote(text: string): string {
	const line = visibleLine(text);
	return escapeHtml(
		(line.length > 400 ? `${line.slice(0, 400)}…` : line).replaceAll(/[\\`*_[\]{}|~#!:@]/g, String.raw`\$&`),
	);
}

function escapeHtml(text: string): string {
	return visibleLine(text).replaceAll(/[&<>]/g, character => ({'&': '&amp;', '<': '&lt;', '>': '&gt;'})[character]!);
}

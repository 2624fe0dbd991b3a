// SPDX-License-Identifier: GPL-2.0
import {caseTitle} from '../run/cell-name.ts';
import type {CellEvent} from '../run/events.ts';
import {memoryWords, rerunCommand, rerunKernelCommand} from '../run/failure.ts';
import type {RunRecord} from '../run/read-run.ts';
import {isGreen} from '../run/verdict.ts';
import {visible, visibleLine} from './escape-control.ts';
import {columnsOf, interruption, type KernelResult, missingKernel} from './kernel-results.ts';

/** TAP 14 with a subtest for each kernel. An interrupted run bails out. */
export function formatTap(record: RunRecord): string {
	const columns = columnsOf(record);
	const interrupted = interruption(record);
	return [
		'TAP version 14',
		`# probe-matrix run ${quote(record.run.id)}`,
		...columns.flatMap((column, index) => formatKernel(column, index + 1)),
		`1..${columns.length}`,
		...(interrupted ? [`Bail out! ${interrupted}`] : []),
		'',
	].join('\n');
}

function formatKernel(column: KernelResult, number: number): string[] {
	const {kernel, cells} = column;
	const missing = missingKernel(column);
	const result = `${!missing && cells.every(isGreen) ? 'ok' : 'not ok'} ${number} - ${quote(kernel)}`;
	const reason = missing
		? diagnostics({
				state: missing.state,
				reason: missing.reason ?? 'No reason is given.',
				not_run: missing.notRun,
				again: rerunKernelCommand(missing),
				console: missing.console,
			})
		: [];
	if (cells.length === 0) return [result, ...reason];
	const subtest = [...cells.flatMap((cell, index) => formatCell(cell, index + 1)), `1..${cells.length}`];
	return [`# Subtest: ${quote(kernel)}`, ...subtest.map(line => `    ${line}`), result, ...reason];
}

function formatCell(cell: CellEvent, number: number): string[] {
	const {verdict, message, durationMs, evidence, console, consolePath, memory, repeat} = cell;
	const title = `${quote(`${cell.mechanism} ${caseTitle(cell)}`)}${repeat > 0 ? ` (${repeat + 1})` : ''}`;
	// By TAP, a test with TODO that is not ok does not fail the run.
	const directive = verdict === 'skip' ? 'SKIP' : 'TODO';
	const words = verdict === 'skip' || verdict === 'known' ? ` # ${directive} ${quote(message ?? '')}` : '';
	const result = `${isGreen(cell) && verdict !== 'known' ? 'ok' : 'not ok'} ${number} - ${title}${words}`;
	if (isGreen(cell)) return [result, ...diagnostics({duration_ms: durationMs})];
	return [
		result,
		...diagnostics({
			verdict: cell.flaky ? `${verdict}, flaky` : verdict,
			message,
			duration_ms: durationMs,
			again: rerunCommand(cell),
			console_path: consolePath,
			memory: memory && memoryWords(memory),
			evidence,
			console,
		}),
	];
}

/** A YAML block. Text with several lines is a block scalar, everything else JSON, which is valid YAML. */
function diagnostics(values: Readonly<Record<string, unknown>>): string[] {
	const lines = Object.entries(values).flatMap(([name, value]) => {
		if (value === undefined) return [];
		if (typeof value !== 'string' || !value.includes('\n')) return [`${name}: ${visible(JSON.stringify(value))}`];
		// An explicit indentation, because the first line may begin with spaces.
		return [
			`${name}: |2-`,
			...visible(value)
				.trimEnd()
				.split('\n')
				.map(line => `  ${line}`),
		];
	});
	return ['---', ...lines, '...'].map(line => `  ${line}`);
}

/** A number sign starts a directive. */
function quote(text: string): string {
	return visibleLine(text).replaceAll(/[\\#]/g, String.raw`\$&`);
}

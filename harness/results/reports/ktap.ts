// SPDX-License-Identifier: GPL-2.0
import {stripVTControlCharacters} from 'node:util';
import {caseTitle} from '../run/cell-name.ts';
import type {CellEvent} from '../run/events.ts';
import {formatFailure, formatKernelFailure} from '../run/failure.ts';
import type {RunRecord} from '../run/read-run.ts';
import {isGreen} from '../run/verdict.ts';
import {visible, visibleLine} from './escape-control.ts';
import {columnsOf, interruption, type KernelResult, missingKernel, whyMissing} from './kernel-results.ts';

/** KTAP version 1, as the kernel's documentation defines it. Kernels contain cells. */
export function formatKtap(record: RunRecord): string {
	const interrupted = interruption(record);
	const results = columnsOf(record).map(column => (number: number) => formatKernel(column, number));
	if (interrupted) results.push(number => [`not ok ${number} run # ERROR ${name(interrupted)}`]);
	const lines = results.flatMap((format, index) => format(index + 1));
	return ['KTAP version 1', `1..${results.length}`, ...lines, ''].join('\n');
}

function formatKernel(column: KernelResult, number: number): string[] {
	const why = whyMissing(column);
	const missing = missingKernel(column);
	const talk = missing ? talkOf(formatKernelFailure(missing)) : [];
	if (column.cells.length === 0)
		return [...talk, `not ok ${number} ${name(column.kernel)} # ERROR ${name(why ?? 'no cells')}`];
	const subtests = column.cells.flatMap((cell, index) => formatCell(cell, index + 1));
	const isOk = why === undefined && column.cells.every(isGreen);
	return [
		...['KTAP version 1', `1..${column.cells.length}`, ...subtests].map(line => `  ${line}`),
		...talk,
		`${isOk ? 'ok' : 'not ok'} ${number} ${name(column.kernel)}${why === undefined ? '' : ` # ERROR ${name(why)}`}`,
	];
}

/** In KTAP, diagnostics come before the result. */
function formatCell(cell: CellEvent, number: number): string[] {
	const result = `${isGreen(cell) ? 'ok' : 'not ok'} ${number} ${name(`${cell.mechanism} ${caseTitle(cell)}`)}`;
	const directive = directiveOf(cell);
	const talk = isGreen(cell) ? [] : talkOf(formatFailure(cell));
	return [...talk, directive ? `${result} # ${directive} ${name(cell.message ?? '')}`.trimEnd() : result];
}

function talkOf(text: string): string[] {
	return visible(stripVTControlCharacters(text))
		.split('\n')
		.map(line => `# ${line}`.trimEnd());
}

function directiveOf({verdict}: CellEvent): string | undefined {
	if (verdict === 'skip') return 'SKIP';
	if (verdict === 'known') return 'XFAIL';
	if (verdict === 'hang') return 'TIMEOUT';
	return verdict === 'infra' || verdict === 'inconclusive' ? 'ERROR' : undefined;
}

/** A number sign starts a directive, and KTAP has no way to escape it. */
function name(text: string): string {
	return visibleLine(text).replaceAll('#', '＃');
}

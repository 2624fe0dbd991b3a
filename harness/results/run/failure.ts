// SPDX-License-Identifier: GPL-2.0
import {styleText} from 'node:util';
import {formatSize} from '../../host/disk-space.ts';
import {caseTitle, cellTitle} from './cell-name.ts';
import type {CellEvent} from './events.ts';
import {cellsNotRun, type KernelSummary} from './kernel-summary.ts';
import {plainText as clean} from './plain-text.ts';
import {paintVerdict} from './table.ts';

/** Details of a cell that did not pass: message, evidence, console, and the command that runs it `again`. */
export function formatFailure(cell: CellEvent, {again = rerunCommand(cell)}: {again?: string} = {}): string {
	const parts = [`${paintVerdict(cell.verdict)} ${styleText('bold', `${cell.kernel} › ${cellTitle(cell)}`)}`];
	if (cell.message) parts.push(indent(clean(cell.message)));
	if (cell.again) {
		const words = cell.flaky ? 'flaky: it passed' : `it ended with ${cell.again.verdict}`;
		parts.push(
			indent(
				`rerun in a fresh guest: ${words}${cell.again.message ? `: ${clean(firstLine(cell.again.message))}` : ''}`,
			),
		);
	}
	const {registers, callStack, ...rest} = cell.evidence ?? {};
	if (isSideBySide(registers)) parts.push(indent(formatRegisters(registers)));
	if (isStacks(callStack)) parts.push(indent(formatStacks(callStack)));
	for (const [name, value] of Object.entries(rest))
		parts.push(indent(`${name}: ${clean(JSON.stringify(value)).slice(0, 600)}`));
	if (cell.console?.trim()) parts.push(indent(`console:\n${indent(clean(tail(cell.console, 25)))}`));
	if (cell.consolePath) parts.push(indent(`whole console: ${cell.consolePath}`));
	if (cell.memory) parts.push(indent(`memory: ${memoryWords(cell.memory)}`));
	parts.push(indent(`again: ${again}`));
	return parts.join('\n');
}

/** Where the memory of a guest is, and how large the file. */
export function memoryWords({path, bytes}: NonNullable<CellEvent['memory']>): string {
	return `${path}, ${formatSize(bytes)}`;
}

/** Details of an unusable kernel, which stands for all its cells that did not run. */
export function formatKernelFailure(
	{kernel, state, reason, console, notRun, suite}: KernelSummary,
	{again = rerunKernelCommand({kernel, ...(suite !== undefined && {suite})})}: {again?: string} = {},
): string {
	const parts = [`${paintVerdict('infra', state)} ${styleText('bold', kernel)}`];
	parts.push(indent(clean(reason?.trim() || 'No reason is given.')));
	if (notRun > 0) parts.push(indent(cellsNotRun(notRun)));
	if (console !== undefined)
		parts.push(indent(console.trim() ? `console:\n${indent(clean(console.trimEnd()))}` : 'its console is empty'));
	parts.push(indent(`again: ${again}`));
	return parts.join('\n');
}

export function rerunKernelCommand({kernel, suite}: Pick<KernelSummary, 'kernel' | 'suite'>): string {
	return `npx probe-matrix run ${suite === undefined ? '' : `${suite} `}--kernel ${kernel}`;
}

/** The command that runs only this cell. */
export function rerunCommand(cell: Pick<CellEvent, 'kernel' | 'case' | 'target' | 'suite'>): string {
	return `${rerunKernelCommand(cell)} --match '${caseTitle(cell)}'`;
}

type SideBySide = {what: string; expected: Record<string, string>; seen: Record<string, string>};

/** Whether this is evidence of differing registers: expected and seen values by name. */
export function isSideBySide(value: unknown): value is SideBySide {
	return isObject(value) && 'what' in value && isObject(value.expected) && isObject(value.seen);
}

function isObject(value: unknown): value is Record<string, unknown> {
	return typeof value === 'object' && value !== null;
}

function formatRegisters({what, expected, seen}: SideBySide): string {
	const rows = Object.keys(expected).map(name => {
		const [wanted, found] = [clean(String(expected[name])), clean(String(seen[name] ?? ''))];
		const row = `${clean(name).padEnd(6)} ${wanted.padStart(18)}  ${found.padStart(18)}`;
		return expected[name] === seen[name] ? row : styleText('red', `${row}  ←`);
	});
	return [
		`registers ${clean(what)}:`,
		`${''.padEnd(6)} ${'expected'.padStart(18)}  ${'seen'.padStart(18)}`,
		...rows,
	].join('\n');
}

/** Whether this is evidence of differing call stacks: a function name per entry. */
export function isStacks(value: unknown): value is {expected: string[]; seen: string[]} {
	return (
		typeof value === 'object' &&
		value !== null &&
		'expected' in value &&
		Array.isArray(value.expected) &&
		'seen' in value &&
		Array.isArray(value.seen)
	);
}

function formatStacks({expected, seen}: {expected: string[]; seen: string[]}): string {
	const rows = Array.from({length: Math.max(expected.length, seen.length)}, (_, n) => {
		const row = `${clean(String(expected[n] ?? '')).padEnd(36)} ${clean(String(seen[n] ?? ''))}`;
		return expected[n] === seen[n] ? row : styleText('red', row);
	});
	return [`${'expected call stack'.padEnd(36)} seen`, ...rows].join('\n');
}

function firstLine(text: string): string {
	return text.split('\n', 1)[0]!;
}

function tail(text: string, lines: number): string {
	return text.trimEnd().split('\n').slice(-lines).join('\n');
}

function indent(text: string): string {
	return text.replaceAll(/^/gm, '  ');
}

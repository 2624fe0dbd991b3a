// SPDX-License-Identifier: GPL-2.0
import {randomUUID} from 'node:crypto';
import {cellTitle} from '../run/cell-name.ts';
import type {CellEvent} from '../run/events.ts';
import {rerunCommand, rerunKernelCommand} from '../run/failure.ts';
import {isFailure, isGreen} from '../run/verdict.ts';
import {visible} from './escape-control.ts';
import {columnsOf, missingKernel, type Reported, whyMissing} from './kernel-results.ts';

/** GitHub shows only ten annotations per level and step, and drops the rest silently. */
const mostOfLevel = 10;

/** Formats failures as GitHub workflow commands that annotate the run. */
export function formatAnnotations(reported: Reported): string {
	const columns = columnsOf(reported);
	const missing = columns.flatMap(column => {
		const kernel = missingKernel(column);
		if (!kernel) return [];
		const message = `${whyMissing(column)}\nagain: ${rerunKernelCommand(kernel)}`;
		return [{title: `${kernel.kernel}: ${kernel.state}`, message}];
	});
	const bad = columns.flatMap(({cells}) => cells.filter(cell => !isGreen(cell)));
	const [errors, warnings] = [bad.filter(isFailure), bad.filter(cell => !isFailure(cell))];
	return [
		...limited('error', errors.map(annotationOf)),
		...limited('warning', [...missing, ...warnings.map(annotationOf)]),
	].join('');
}

/** Wraps text so that GitHub does not execute workflow commands in it: it may contain output of guests. */
export function withoutCommands(text: string): string {
	const token = randomUUID();
	return `::stop-commands::${token}\n${text}${text.endsWith('\n') ? '' : '\n'}::${token}::\n`;
}

/** Like withoutCommands inside a GitHub workflow; elsewhere the text is unchanged. */
export function forWorkflow(text: string): string {
	return process.env.GITHUB_ACTIONS ? withoutCommands(text) : text;
}

type Annotation = {readonly title: string; readonly message: string};

function annotationOf(cell: CellEvent): Annotation {
	return {
		title: `${cell.kernel} › ${cellTitle(cell)}: ${cell.verdict}${cell.flaky ? ', flaky' : ''}`,
		message: `${cell.message ?? ''}\nagain: ${rerunCommand(cell)}`.trim(),
	};
}

function limited(level: 'error' | 'warning', annotations: readonly Annotation[]): string[] {
	if (annotations.length <= mostOfLevel) return annotations.map(annotation => format(level, annotation));
	const shown = annotations.slice(0, mostOfLevel - 1);
	const others = annotations.slice(shown.length);
	const rest = {
		title: `${others.length} more`,
		message: 'The log of this step has all of them, and so does probe-matrix report.',
	};
	return [...shown, rest].map(annotation => format(level, annotation));
}

function format(level: 'error' | 'warning', {title, message}: Annotation): string {
	const property = quote(title).replaceAll(':', '%3A').replaceAll(',', '%2C');
	return `::${level} title=${property}::${quote(message)}\n`;
}

function quote(text: string): string {
	// The percent sign first, because the other escapes contain it.
	return visible(text).replaceAll('%', '%25').replaceAll('\r', '%0D').replaceAll('\n', '%0A');
}

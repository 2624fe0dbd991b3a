// SPDX-License-Identifier: GPL-2.0
import type {ComparedCell, ComparedKernel, Comparison} from '../compare/compare-runs.ts';
import {cellTitle} from '../run/cell-name.ts';
import type {CellSummary} from '../run/cell-summary.ts';
import {counted} from '../run/counted.ts';
import type {NightFinding} from '../run/events.ts';

export type ChangeGroup = {
	readonly title: string;
	readonly cells: readonly {readonly kernel: string; readonly name: string; readonly words: string}[];
};

const titles: Readonly<Record<keyof Comparison, string>> = {
	newFailures: 'New failures',
	lostKernels: 'Kernels that became unusable',
	changedMessages: 'Fail in another way',
	newSkips: 'No longer tested',
	missing: 'No longer there',
	slower: 'Slower',
	regainedKernels: 'Kernels that are usable again',
	fixed: 'Fixed',
	added: 'New',
};

/** Differences in groups, most severe first, without empty groups. */
export function changeGroups(comparison: Comparison): readonly ChangeGroup[] {
	// The keys are those of `titles`.
	return (Object.keys(titles) as (keyof Comparison)[]).flatMap(kind => {
		const rows =
			kind === 'lostKernels' || kind === 'regainedKernels'
				? comparison[kind].map(kernel => rowOfKernel(kind, kernel))
				: comparison[kind].map(cell => ({kernel: cell.kernel, name: cellTitle(cell), words: wordsFor(kind, cell)}));
		return rows.length === 0 ? [] : [{title: titles[kind], cells: rows}];
	});
}

function rowOfKernel(kind: 'lostKernels' | 'regainedKernels', {kernel, state, reason = '', cells}: ComparedKernel) {
	const name = counted(cells, 'cell');
	if (kind === 'regainedKernels') return {kernel, name, words: `${state} before`};
	return {kernel, name, words: [state, reason.trim().split('\n', 1)[0]].filter(Boolean).join(': ')};
}

const nightTitles: Readonly<Record<NightFinding['kind'], string>> = {
	crash: 'New crashes',
	regression: 'Regressions',
	kernel: 'Kernels that could not run',
	flaky: 'Flaky',
	known: 'Known failures',
	passesAgain: 'Known failures that pass again: remove them from the list',
	idle: 'Known failures that match no cell',
};

/** Findings of a nightly run, in the same form and order. */
export function nightGroups(findings: readonly NightFinding[]): readonly ChangeGroup[] {
	return Object.entries(nightTitles).flatMap(([kind, title]) => {
		const cells = findings
			.filter(finding => finding.kind === kind)
			.map(({kernel = 'any', cell = 'all of it', words}) => ({kernel, name: cell, words}));
		return cells.length === 0 ? [] : [{title, cells}];
	});
}

function wordsFor(
	kind: Exclude<keyof Comparison, 'lostKernels' | 'regainedKernels'>,
	{before, after}: ComparedCell,
): string {
	if (kind === 'slower' && before && after)
		return `${before.durationMs} ms → ${after.durationMs} ms (× ${(after.durationMs / Math.max(1, before.durationMs)).toFixed(1)})`;
	const verdicts = [before, after].map(summary => (summary ? describe(summary) : undefined));
	const words = [verdicts[0] ?? '', verdicts[1] ?? ''].filter(Boolean).join(' → ');
	const message = after?.message ?? (after ? undefined : before?.message);
	return message === undefined ? words : `${words}: ${message.split('\n', 1)[0]}`;
}

function describe({verdict, passes, total}: CellSummary): string {
	return total > 1 && passes < total ? `${verdict} (${passes} of ${total} passed)` : verdict;
}

// SPDX-License-Identifier: GPL-2.0
import type {StoredRun} from '../results/history/index-rows.ts';
import {type CellSummary, cellKey, type SummarizedCell, summarizeCells} from '../results/run/cell-summary.ts';
import type {CellEvent, CellName, KernelEvent} from '../results/run/events.ts';
import {type KernelSummary, unusableKernels} from '../results/run/kernel-summary.ts';
import {isFailure} from '../results/run/verdict.ts';
import {type CellPast, crashGist} from './cell-past.ts';
import {isMatch, type KnownFailure} from './known-failures.ts';

export type JudgedCell = CellName & {
	/** `flaky` and `known` do not fail the night. */
	readonly kind: 'regression' | 'crash' | 'flaky' | 'known';
	/** The last conclusive run before passed, or there was none. */
	readonly isNew: boolean;
	/** The run since which it fails, if it is not new. */
	readonly since?: string;
	readonly night: CellSummary;
	/** Results of the reruns that confirm a new failure. */
	readonly reruns?: {readonly failed: number; readonly total: number};
	readonly known?: KnownFailure;
};

export type NightReport = {
	readonly findings: readonly JudgedCell[];
	/** Known failures all of whose matching cells passed. */
	readonly passAgain: readonly KnownFailure[];
	/** Known failures that match no cell although their kernel ran: a typo, or the case was removed. */
	readonly idle: readonly KnownFailure[];
	/**
	 * Kernels that could not be used, or not until the end. `isRegression`: it ran before and now fails to build or
	 * boot even once.
	 */
	readonly lost: readonly (KernelSummary & {readonly isRegression: boolean; readonly isNews: boolean})[];
	/** Cells that neither passed nor failed and were not skipped. */
	readonly unproved: readonly CellName[];
	readonly exitCode: 0 | 1 | 3;
};

export type Night = {
	readonly kernels: readonly KernelEvent[];
	/** All cells except reruns. */
	readonly cells: readonly CellEvent[];
	readonly reruns: readonly CellEvent[];
	readonly past: ReadonlyMap<string, CellPast>;
	readonly known: readonly KnownFailure[];
	/** Earlier runs that this one is compared with. */
	readonly before: readonly StoredRun[];
	/** A kernel that the user named must run; others only if they ran before. */
	readonly isRequested: (kernel: string) => boolean;
};

/**
 * Significance level: a flaky cell regresses if chance alone explains its failed reruns with less than this
 * probability.
 */
const worseChance = 0.01;

/** Judges a night from its results and its history; see ARCHITECTURE.md, "History". */
export function judgeNight({kernels, cells, reruns, past, known, before, isRequested}: Night): NightReport {
	const summaries = [...summarizeCells(cells).values()];
	const again = summarizeCells(reruns);
	const findings = summaries
		.filter(({summary}) => isFailure(summary))
		.map(cell => judge(cell, past.get(cellKey(cell)), {known, reruns: again.get(cellKey(cell))?.summary}));
	const lost = unusableKernels(kernels).map(summary => {
		const {kernel, state, hasBooted} = summary;
		const wasReady = before.some(run => run.kernels.includes(kernel));
		return {
			...summary,
			isRegression: wasReady && state === 'failed' && !hasBooted,
			isNews: wasReady || hasBooted || isRequested(kernel),
		};
	});
	const unproved = summaries.filter(({summary}) => summary.total === 0 && summary.verdict !== 'skip');
	const meant = (entry: KnownFailure) => summaries.filter(cell => isMatch(entry, cell));
	const isBad = findings.some(({kind}) => kind === 'regression' || kind === 'crash');
	const isShort = unproved.length > 0 || lost.some(({isNews}) => isNews);
	const ran = new Set(summaries.map(({kernel}) => kernel));
	return {
		findings,
		passAgain: known.filter(entry => meant(entry).length > 0 && meant(entry).every(isWell)),
		idle: known.filter(
			({kernel, ...entry}) =>
				(kernel === undefined || ran.has(kernel)) && meant({...entry, ...(kernel && {kernel})}).length === 0,
		),
		lost,
		unproved,
		exitCode: isBad || lost.some(({isRegression}) => isRegression) ? 1 : isShort ? 3 : 0,
	};
}

/** Whether a failed cell is worth rerunning: its failure is not listed as known, and the cell was not broken before. */
export function isToConfirm(cell: CellEvent, past: CellPast | undefined, known: readonly KnownFailure[]): boolean {
	if (!isFailure(cell) || past?.statistics.status === 'broken') return false;
	return !known.some(entry => isMatch(entry, cell));
}

function isWell({summary}: SummarizedCell): boolean {
	return summary.verdict === 'pass';
}

function judge(
	{summary: night, ...name}: SummarizedCell,
	past: CellPast | undefined,
	{known, reruns}: {known: readonly KnownFailure[]; reruns: CellSummary | undefined},
): JudgedCell {
	const entry = known.find(each => isMatch(each, name));
	const since = past?.statistics.brokenSince ?? past?.lastFailure?.run;
	const finding = {
		...name,
		isNew: past?.lastFailure === undefined,
		...(since !== undefined && {since}),
		night,
		...(reruns && {reruns: {failed: reruns.total - reruns.passes, total: reruns.total}}),
		...(entry && {known: entry}),
	};
	if (isNewCrash(night, past) && !(entry && !past?.lastFailure)) return {...finding, kind: 'crash'};
	if (entry) return {...finding, kind: 'known'};
	return {...finding, kind: isRegression(night, past, reruns) ? 'regression' : 'flaky'};
}

/** A new crash counts even if the cell only failed before, and without confirmation by reruns. */
function isNewCrash(night: CellSummary, past: CellPast | undefined): boolean {
	return night.verdict === 'crash' && !past?.crashes.has(crashGist(night.message));
}

function isRegression(night: CellSummary, past: CellPast | undefined, reruns: CellSummary | undefined): boolean {
	if (past?.statistics.status === 'broken' || !reruns || reruns.total === 0) return true;
	const failed = reruns.total - reruns.passes;
	const expected = past?.atGreen?.failureRate ?? 0;
	// The failure that caused the reruns does not count against a cell that was flaky before.
	if (expected > 0) return chanceOfAtLeast(failed, reruns.total, expected) < worseChance;
	return failed + night.total - night.passes > 1;
}

/** Binomial probability that at least `failed` of `total` fail at the given rate. */
function chanceOfAtLeast(failed: number, total: number, rate: number): number {
	let chance = 0;
	let ways = 1;
	for (let n = 0; n <= total; n++) {
		if (n >= failed) chance += ways * rate ** n * (1 - rate) ** (total - n);
		ways *= (total - n) / (n + 1);
	}
	return chance;
}

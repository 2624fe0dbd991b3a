// SPDX-License-Identifier: GPL-2.0
import {styleText} from 'node:util';
import {fit} from '../results/compare/format-comparison.ts';
import {cellTitle} from '../results/run/cell-name.ts';
import {cellsNotRun} from '../results/run/kernel-summary.ts';
import {plainText} from '../results/run/plain-text.ts';
import type {JudgedCell, NightReport} from './judge-night.ts';
import {type KnownFailure, knownTitle} from './known-failures.ts';
import {howItIs, howItWent} from './night-findings.ts';

const columns = 80;

const titles: Readonly<Record<JudgedCell['kind'], string>> = {
	regression: 'regressions',
	crash: 'new crashes',
	flaky: 'flaky',
	known: 'known failures',
};

/** Formats a night's report in at most 80 columns. */
export function formatNight({findings, passAgain, idle, lost, unproved, exitCode}: NightReport): string {
	const kinds = (['crash', 'regression', 'flaky', 'known'] as const).map(kind => {
		const of = findings.filter(finding => finding.kind === kind);
		const isBad = kind === 'crash' || kind === 'regression';
		return section(titles[kind], of.map(formatFinding), isBad);
	});
	return [
		...kinds,
		section(
			'kernels that could not run',
			lost.map(formatKernel),
			lost.some(({isRegression}) => isRegression),
		),
		section(
			'proved nothing',
			unproved.map(cell => wrap(`${cell.kernel} ${cellTitle(cell)}`)),
		),
		section('known failures that pass again: remove them from the list', passAgain.map(formatKnown)),
		section('known failures that match no cell', idle.map(formatKnown)),
		`exit status: ${exitCode}\n`,
	]
		.filter(part => part !== '')
		.join('\n');
}

function formatFinding(finding: JudgedCell): string {
	const {night, known} = finding;
	const [message] = plainText(night.message ?? '')
		.trim()
		.split('\n');
	return [
		wrap(`${finding.kernel} ${cellTitle(finding)}`),
		wrap(`  ${howItWent(finding)}`),
		...(known ? [wrap(`  ${known.reason ?? known.issue}`)] : []),
		...(message && !known ? [wrap(`  ${message}`)] : []),
	].join('\n');
}

function formatKernel(kernel: NightReport['lost'][number]): string {
	const {notRun, reason = ''} = kernel;
	const [why] = plainText(reason).trim().split('\n');
	return [
		wrap(`${kernel.kernel}: ${howItIs(kernel)}${notRun > 0 ? `; ${cellsNotRun(notRun)}` : ''}`),
		...(why ? [wrap(`  ${why}`)] : []),
	].join('\n');
}

function formatKnown(known: KnownFailure): string {
	return wrap(`${knownTitle(known)}, since ${known.since}`);
}

function section(title: string, rows: readonly string[], isBad = false): string {
	if (rows.length === 0) return '';
	return `${styleText(isBad ? ['bold', 'red'] : 'bold', `${title}: ${rows.length}`)}\n${rows.join('\n')}\n`;
}

function wrap(line: string): string {
	return `  ${fit(line.replaceAll('\n', ' '), columns - 2)}`;
}

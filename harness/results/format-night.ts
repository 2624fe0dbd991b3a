import {styleText} from 'node:util';
import {cellTitle} from './events.ts';
import {fit} from './format-comparison.ts';
import type {Finding, NightReport} from './judge-night.ts';
import {cellsNotRun} from './kernel-summary.ts';
import {type KnownFailure, knownTitle} from './known-failures.ts';
import {howItIs, howItWent} from './night-findings.ts';
import {plainText} from './plain-text.ts';

const columns = 80;

const titles: Readonly<Record<Finding['kind'], string>> = {
	regression: 'regressions',
	crash: 'new crashes',
	flaky: 'flaky',
	known: 'known failures',
};

/** What a night amounts to; fits into 80 columns. */
export function formatNight({findings, passAgain, idle, lost, unproved, exitCode}: NightReport): string {
	const kinds = (['crash', 'regression', 'flaky', 'known'] as const).map(kind => {
		const of = findings.filter(finding => finding.kind === kind);
		const isBad = kind === 'crash' || kind === 'regression';
		return section(titles[kind], of.map(formatFinding), isBad);
	});
	return [
		...kinds,
		section(
			'kernels that did not run',
			lost.map(formatKernel),
			lost.some(({isRegression}) => isRegression),
		),
		section(
			'proved nothing',
			unproved.map(cell => wrap(`${cell.kernel} ${cellTitle(cell)}`)),
		),
		section('known failures that pass again: take them off the list', passAgain.map(formatKnown)),
		section('known failures that match no cell', idle.map(formatKnown)),
		`the night's exit status: ${exitCode}\n`,
	]
		.filter(part => part !== '')
		.join('\n');
}

function formatFinding(finding: Finding): string {
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

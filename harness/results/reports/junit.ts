// SPDX-License-Identifier: GPL-2.0
import {stripVTControlCharacters} from 'node:util';
import {caseTitle, suiteOf} from '../run/cell-name.ts';
import type {CellEvent} from '../run/events.ts';
import {formatFailure, formatKernelFailure} from '../run/failure.ts';
import type {RunRecord} from '../run/read-run.ts';
import {visible, visibleLine} from './escape-control.ts';
import {columnsOf, interruption, type KernelResult, missingKernel, whyMissing} from './kernel-results.ts';

/**
 * JUnit XML for Jenkins and GitLab, with one suite per kernel. Everything that fails a run is a failure or an error
 * here as well, including unavailable kernels and an interrupted run.
 */
export function formatJunit(record: RunRecord): string {
	const suites = columnsOf(record).map(column => suiteOfKernel(column, record));
	const interrupted = interruption(record);
	if (interrupted) {
		const testcase = formatTestcase({
			classname: 'run',
			name: 'end',
			kind: 'error',
			type: 'interrupted',
			why: interrupted,
		});
		suites.push(formatSuite('run', [testcase], record));
	}
	const counts = sum(suites.map(suite => suite.counts));
	return [
		'<?xml version="1.0" encoding="UTF-8"?>',
		`<testsuites ${attributes({name: 'probe-matrix', ...counts, time: seconds(record.end?.durationMs ?? 0)})}>`,
		...suites.map(({xml}) => xml),
		'</testsuites>',
		'',
	].join('\n');
}

type Counts = {readonly tests: number; readonly failures: number; readonly errors: number; readonly skipped: number};
type Testcase = {readonly xml: string; readonly kind: Kind; readonly durationMs: number};
type Kind = 'pass' | 'failure' | 'error' | 'skipped';

function suiteOfKernel(column: KernelResult, record: RunRecord): {xml: string; counts: Counts} {
	const missing = missingKernel(column);
	const testcases = column.cells.map(testcaseOf);
	if (missing) {
		testcases.push(
			formatTestcase({
				classname: packageOf(column.kernel),
				name: 'kernel',
				kind: 'error',
				type: missing.state,
				why: whyMissing(column)!,
				body: stripVTControlCharacters(formatKernelFailure(missing)),
				...(missing.console !== undefined && {console: missing.console}),
			}),
		);
	}
	return formatSuite(column.kernel, testcases, record, column.summary?.release);
}

function testcaseOf(cell: CellEvent): Testcase {
	const {verdict, durationMs, message = '', console} = cell;
	return formatTestcase({
		classname: `${packageOf(cell.kernel)}.${cell.mechanism}.${suiteOf(cell)}`,
		// Readers identify a test by its names only.
		name: cell.repeat > 0 ? `${caseTitle(cell)} #${cell.repeat + 1}` : caseTitle(cell),
		durationMs,
		kind:
			verdict === 'pass'
				? 'pass'
				: verdict === 'skip' || verdict === 'known'
					? 'skipped'
					: verdict === 'fail'
						? 'failure'
						: 'error',
		type: verdict,
		why: message,
		...(verdict !== 'pass' && verdict !== 'skip' && {body: stripVTControlCharacters(formatFailure(cell))}),
		...(console !== undefined && {console}),
	});
}

/** Jenkins takes the part of a class name before its last dot as the package, and releases contain dots. */
function packageOf(kernel: string): string {
	return kernel.replaceAll('.', '_');
}

type TestcaseParts = {
	readonly classname: string;
	readonly name: string;
	readonly kind: Kind;
	readonly type: string;
	readonly why: string;
	readonly durationMs?: number;
	readonly body?: string;
	readonly console?: string;
};

function formatTestcase({
	classname,
	name,
	kind,
	type,
	why,
	durationMs = 0,
	body = why,
	console,
}: TestcaseParts): Testcase {
	const open = `\t\t<testcase ${attributes({classname, name, time: seconds(durationMs)})}`;
	if (kind === 'pass') return {xml: `${open}/>`, kind, durationMs};
	const inner =
		kind === 'skipped'
			? `<skipped ${attributes({message: visibleLine(why)})}/>`
			: `<${kind} ${attributes({type, message: visibleLine(why)})}>${quote(body)}</${kind}>`;
	const output = console ? `\n\t\t\t<system-out>${quote(console)}</system-out>` : '';
	return {xml: `${open}>\n\t\t\t${inner}${output}\n\t\t</testcase>`, kind, durationMs};
}

function formatSuite(
	name: string,
	testcases: readonly Testcase[],
	{run}: RunRecord,
	release = '',
): {xml: string; counts: Counts} {
	const count = (kind: Kind) => testcases.filter(testcase => testcase.kind === kind).length;
	const counts = {
		tests: testcases.length,
		failures: count('failure'),
		errors: count('error'),
		skipped: count('skipped'),
	};
	const time = seconds(testcases.reduce((total, {durationMs}) => total + durationMs, 0));
	// The schema allows no time zone; times are UTC.
	const timestamp = new Date(run.startedAt).toISOString().slice(0, 19);
	const properties = {run: run.id, release, accelerator: run.accelerator.name, ...run.versions};
	const xml = [
		`\t<testsuite ${attributes({name, ...counts, time, timestamp})}>`,
		'\t\t<properties>',
		...Object.entries(properties)
			.filter(([, value]) => value !== '')
			.map(([property, value]) => `\t\t\t<property ${attributes({name: property, value})}/>`),
		'\t\t</properties>',
		...testcases.map(testcase => testcase.xml),
		'\t</testsuite>',
	].join('\n');
	return {xml, counts};
}

function sum(all: readonly Counts[]): Counts {
	const total = (key: keyof Counts) => all.reduce((count, counts) => count + counts[key], 0);
	return {tests: total('tests'), failures: total('failures'), errors: total('errors'), skipped: total('skipped')};
}

function seconds(milliseconds: number): string {
	return (milliseconds / 1000).toFixed(3);
}

function attributes(values: Readonly<Record<string, string | number>>): string {
	return Object.entries(values)
		.map(([name, value]) => `${name}="${quote(String(value)).replaceAll('\n', '&#10;').replaceAll('\t', '&#9;')}"`)
		.join(' ');
}

/** Characters that XML does not allow even when escaped are among those that `visible` replaces. */
function quote(text: string): string {
	return visible(text).replaceAll(/[&<>"]/g, character => `&#${character.codePointAt(0)};`);
}

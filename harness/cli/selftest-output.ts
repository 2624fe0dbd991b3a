// SPDX-License-Identifier: GPL-2.0
import {median} from '../results/run/statistics.ts';
import {paintVerdict} from '../results/run/table.ts';
import type {FaultResult} from '../suites/project-suite.ts';
import {forJob} from './job-output.ts';

type Output = {readonly isTTY?: boolean; write(text: string): unknown};
type Outputs = {readonly stdout: Output; readonly stderr: Output};

/** Prints a row to standard output; also to the terminal, if standard output goes elsewhere. */
export function showResult(result: FaultResult, {stdout, stderr}: Outputs = process): void {
	const row = forJob(`${formatRow(result)}\n`);
	stdout.write(row);
	if (stderr.isTTY && !stdout.isTTY) stderr.write(row);
}

/** Prints what follows the table. */
export function showSum(
	results: readonly FaultResult[],
	consoles: string,
	{stdout}: Pick<Outputs, 'stdout'> = process,
): void {
	stdout.write(forJob(`${formatSum(results)}consoles are in ${consoles}\n`));
}

function formatSum(results: readonly FaultResult[]): string {
	const wrong = results.flatMap(({kernel, fault, wrong: reasons, outcome}) =>
		reasons.length === 0
			? []
			: [`\n${kernel} ${fault}: ${reasons.join('; ')}\n${outcome.message ?? ''}\n${outcome.consolePath ?? ''}\n`],
	);
	const skipped = results.filter(({verdict}) => verdict === 'skip').length;
	const bad = wrong.length;
	const late = results.filter(({verdict, ms, goalMs}) => verdict !== 'skip' && ms > goalMs).length;
	const sum = `${results.length - skipped - bad} as expected, ${bad} not, ${skipped} skipped, ${late} slower than their goal\n`;
	const medians = ['crash', 'hang', 'infra'].flatMap(verdict => {
		const times = results.filter(result => result.verdict === verdict).map(({ms}) => ms);
		return times.length > 0 ? [`${verdict} ${(median(times) / 1000).toFixed(1)} s`] : [];
	});
	return [...wrong, sum, `median time from the trigger to the verdict: ${medians.join(', ')}\n`].join('');
}

function formatRow({kernel, fault, verdict, title, ms, goalMs, wrong}: FaultResult): string {
	const time = verdict === 'skip' ? '' : `${(ms / 1000).toFixed(1)} s of ${goalMs / 1000} s`;
	const word = wrong.length > 0 ? 'WRONG' : 'ok';
	return [
		kernel.padEnd(13),
		fault.padEnd(17),
		paintVerdict(verdict, verdict.padEnd(5)),
		time.padStart(14),
		word.padEnd(5),
		// The full title is in the console, and is printed for each wrong verdict.
		title.slice(0, 80 - 62),
	]
		.join('  ')
		.trimEnd();
}

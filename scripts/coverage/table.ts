// SPDX-License-Identifier: GPL-2.0
import {readFile} from 'node:fs/promises';
import path from 'node:path';
import {projectRoot} from '../../harness/build/sources.ts';
import type {LineCounts} from './counts.ts';
import type {Unreached} from './unreached.ts';

/** How many ran, of how many. */
type Share = {readonly ran: number; readonly all: number};

/**
 * The table of all files and the lines that did not run, for 80 columns. `isWhole`: everything has run that there is, so
 * a line without a reason is a gap, and a reason for a line that ran is wrong; the text says so, and `isExplained` is
 * false.
 */
export async function coverageTable(
	all: ReadonlyMap<string, LineCounts>,
	reasons: readonly Unreached[],
	{isWhole}: {isWhole: boolean},
): Promise<{text: string; isExplained: boolean}> {
	const rows: string[] = [];
	const left: string[] = [];
	const used = new Set<string>();
	const total = {lines: {ran: 0, all: 0}, branches: {ran: 0, all: 0}, explained: 0};
	for (const file of [...all.keys()].toSorted()) {
		const counts = all.get(file)!;
		const text = (await readFile(path.join(projectRoot, 'kmod', file), 'utf8')).split('\n');
		const lines = shareOf([...counts.values()].map(({count}) => count));
		const branches = shareOf([...counts.values()].flatMap(each => each.branches));
		rows.push(row(file, lines, branches));
		add(total.lines, lines);
		add(total.branches, branches);
		const missed = [...counts].filter(([, {count}]) => count === 0).map(([line]) => line);
		for (const line of missed.toSorted((one, other) => one - other)) {
			const words = text[line - 1]!.trim();
			const names = [words, `function ${counts.get(line)!.of}`];
			const known = reasons.find(each => each.file === file && each.lines.some(name => names.includes(name)));
			if (known) {
				for (const name of names) used.add(`${file}: ${name}`);
				total.explained++;
			}
			left.push(`kmod/${file}:${line}: ${words}`, ...(known ? [`    ${known.reason}`] : []));
		}
	}
	const explained = reasons
		.filter(({isChance}) => !isChance)
		.flatMap(({file, lines}) => lines.map(line => `${file}: ${line}`));
	const idle = isWhole ? explained.filter(each => !used.has(each)) : [];
	const lines = [
		`${'file'.padEnd(18)}${'lines'.padStart(22)}${'branches'.padStart(22)}`,
		...rows,
		row('all', total.lines, total.branches),
		'',
		...(left.length > 0 ? ['Lines that no case executes:', ...left, ''] : []),
		...idle.map(each => `This runs, or is gone, but has a reason not to run: kmod/${each}`),
	];
	const isExplained = total.lines.ran + total.explained === total.lines.all && idle.length === 0;
	return {text: `${lines.join('\n')}\n`, isExplained: isExplained || !isWhole};
}

function shareOf(counts: readonly number[]): Share {
	return {ran: counts.filter(count => count > 0).length, all: counts.length};
}

function add(sum: {ran: number; all: number}, {ran, all}: Share): void {
	sum.ran += ran;
	sum.all += all;
}

function row(name: string, ...shares: readonly Share[]): string {
	const cells = shares.map(({ran, all}) => `${ran} of ${all}, ${percent({ran, all}).padStart(5)} %`.padStart(22));
	return `${name.padEnd(18)}${cells.join('')}`;
}

function percent({ran, all}: Share): string {
	return all === 0 ? '–' : ((100 * ran) / all).toFixed(1);
}

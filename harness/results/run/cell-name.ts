// SPDX-License-Identifier: GPL-2.0
import type {CellEvent, CellName} from './events.ts';
import {type Verdict, verdicts} from './verdict.ts';

/** For example `return/call-stack[asm]`, as --match and reports use it. */
export function cellTitle(cell: CellName): string {
	return cell.target === undefined ? cell.case : `${cell.case}[${cell.target}]`;
}

export function suiteOf({case: id}: Pick<CellName, 'case'>): string {
	return id.split('/')[0]!;
}

export function countVerdicts(cells: Iterable<CellEvent>): Record<Verdict, number> {
	const counts = Object.fromEntries(verdicts.map(verdict => [verdict, 0])) as Record<Verdict, number>;
	for (const cell of cells) counts[cell.verdict]++;
	return counts;
}

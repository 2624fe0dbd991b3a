// SPDX-License-Identifier: GPL-2.0
import type {CellEvent, CellName} from './events.ts';
import {type Verdict, verdicts} from './verdict.ts';

/** For example `return/call-stack[asm]`, as --match uses it. */
export function caseTitle({case: id, target}: Pick<CellName, 'case' | 'target'>): string {
	return target === undefined ? id : `${id}[${target}]`;
}

/** The same, with the mechanism if it is not the suite's first: `return/call-stack[asm]@kretprobe`. */
export function cellTitle(cell: CellName): string {
	return cell.alternative ? `${caseTitle(cell)}@${cell.mechanism}` : caseTitle(cell);
}

export function suiteOf({case: id}: Pick<CellName, 'case'>): string {
	return id.split('/')[0]!;
}

export function countVerdicts(cells: Iterable<CellEvent>): Record<Verdict, number> {
	const counts = Object.fromEntries(verdicts.map(verdict => [verdict, 0])) as Record<Verdict, number>;
	for (const cell of cells) counts[cell.verdict]++;
	return counts;
}

// SPDX-License-Identifier: GPL-2.0
import {cellTitle} from '../../results/run/cell-name.ts';
import type {CellEvent} from '../../results/run/events.ts';
import {normalizeMessage} from '../../results/run/normalize-message.ts';
import {isFailure} from '../../results/run/verdict.ts';

/** One run of the predicate: each of its cells once. */
export type Attempt = {
	/** `void` proved nothing: the host failed, or a race did not overlap. */
	readonly end: 'pass' | 'fail' | 'skip' | 'void';
	/** One per distinct failure, normalized so that it is equal across guests; see symptomOf. */
	readonly symptoms: readonly string[];
	/** The reason; set for every end except `pass`. */
	readonly message?: string;
	readonly consolePath?: string;
};

/** Groups cells by `repeat` into one attempt each. */
export function attemptsOf(cells: readonly CellEvent[]): readonly Attempt[] {
	return [...Map.groupBy(cells, ({repeat}) => repeat).values()].map(attemptOf);
}

function attemptOf(cells: readonly CellEvent[]): Attempt {
	const failed = cells.filter(isFailure);
	if (failed.length > 0) {
		return {end: 'fail', symptoms: [...new Set(failed.map(symptomOf))].toSorted(), ...wordsOf(failed[0]!)};
	}
	const idle = cells.find(({verdict}) => verdict === 'infra' || verdict === 'inconclusive');
	if (idle) return {end: 'void', symptoms: [], ...wordsOf(idle)};
	const skipped = cells.find(({verdict}) => verdict === 'skip');
	// Some cells may not apply to a kernel; one cell that applies is enough for an answer.
	if (skipped && cells.every(({verdict}) => verdict === 'skip'))
		return {end: 'skip', symptoms: [], ...wordsOf(skipped)};
	return {end: 'pass', symptoms: []};
}

function wordsOf(cell: CellEvent): Pick<Attempt, 'message' | 'consolePath'> {
	const {message, consolePath} = cell;
	return {
		message: `${cellTitle(cell)}: ${firstLine(message ?? cell.verdict)}`,
		...(consolePath !== undefined && {consolePath}),
	};
}

/**
 * Names a failure without the parts that differ between guests. A crash is identified by its title in any case; a
 * failed check by its case and the first line of its message.
 */
export function symptomOf(cell: Pick<CellEvent, 'verdict' | 'message' | 'case'>): string {
	const line = normalizeMessage(firstLine(cell.message ?? ''), {hidesSmallNumbers: true});
	if (cell.verdict === 'crash') return `crash: ${line}`;
	return `${cell.verdict} of ${cell.case}: ${line}`;
}

function firstLine(text: string): string {
	return text.trim().split('\n', 1)[0]!;
}

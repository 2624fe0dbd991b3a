import {cellTitle} from '../../results/run/cell-name.ts';
import type {CellEvent} from '../../results/run/events.ts';
import {normalizeMessage} from '../../results/run/normalize-message.ts';
import {isFailure} from '../../results/run/verdict.ts';

/** The predicate asked once: all its cells, one time each. */
export type Attempt = {
	/** void: it proved nothing, by the host's fault or because a race did not overlap. */
	readonly end: 'pass' | 'fail' | 'skip' | 'void';
	/** What was wrong with each cell that failed, as far as it is the same from guest to guest. */
	readonly symptoms: readonly string[];
	/** Why, for every end but pass. */
	readonly message?: string;
	readonly consolePath?: string;
};

/** One attempt for each repeat. */
export function attemptsOf(cells: readonly CellEvent[]): readonly Attempt[] {
	return [...Map.groupBy(cells, ({repeat}) => repeat).values()].map(trialOf);
}

function trialOf(cells: readonly CellEvent[]): Attempt {
	const failed = cells.filter(isFailure);
	if (failed.length > 0) {
		return {end: 'fail', symptoms: [...new Set(failed.map(symptomOf))].toSorted(), ...wordsOf(failed[0]!)};
	}
	const idle = cells.find(({verdict}) => verdict === 'infra' || verdict === 'inconclusive');
	if (idle) return {end: 'void', symptoms: [], ...wordsOf(idle)};
	const skipped = cells.find(({verdict}) => verdict === 'skip');
	// Of several cells some may not apply; as long as one does, there is an answer.
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
 * What is wrong, without what differs from guest to guest. A crash is known by its title, whichever cell it comes in;
 * a failed check by its case and first line.
 */
export function symptomOf(cell: Pick<CellEvent, 'verdict' | 'message' | 'case'>): string {
	const line = normalizeMessage(firstLine(cell.message ?? ''), {hidesSmallNumbers: true});
	if (cell.verdict === 'crash') return `crash: ${line}`;
	return `${cell.verdict} of ${cell.case}: ${line}`;
}

function firstLine(text: string): string {
	return text.trim().split('\n', 1)[0]!;
}

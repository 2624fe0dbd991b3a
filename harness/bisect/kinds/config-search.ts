// SPDX-License-Identifier: GPL-2.0
import {UsageError} from '../../host/errors.ts';
import type {Candidate} from '../engine/candidate.ts';
import {smallestSet} from '../engine/ddmin.ts';
import type {Step} from '../engine/journal.ts';
import {Judge, type JudgeOptions} from '../engine/judge-candidate.ts';
import {findingOf, proveGood, type SearchResult} from '../engine/search.ts';
import {type Change, titleOfChanges} from '../guests/config-changes.ts';
import type {Verification} from '../repository/verify-commit.ts';

export type ConfigSearchOptions = Omit<JudgeOptions, 'stage'> & {
	/** The good configuration with some of the changes. */
	readonly candidateOf: (some: readonly Change[]) => Candidate;
	readonly onStep: (step: Step) => void;
};

/**
 * Finds a smallest set of changes that turns the first configuration's verdict into that of the last: good into bad, or
 * with isFixed bad into good. Judges the last configuration without it.
 */
export async function searchConfig(
	changes: readonly Change[],
	{candidateOf, onStep, confidence, ...options}: ConfigSearchOptions,
): Promise<{finding: SearchResult; verification: Verification}> {
	const stage = 'config';
	const {isFixed = false} = options;
	const judge = new Judge({...options, stage, confidence});
	const told = (step: Step) => {
		onStep(step);
		return step;
	};
	const [first, last] = [candidateOf([]), candidateOf(changes)];
	const badEnd = told(await judge.measureBadEnd(isFixed ? first : last));
	const goodEnd = told(await judge.proveGoodEnd(isFixed ? last : first));
	const [before, after] = isFixed ? (['bad', 'good'] as const) : (['good', 'bad'] as const);
	let commit = isFixed ? goodEnd : badEnd;
	const skipped: (readonly Change[])[] = [];
	const isChanged = async (some: readonly Change[]) => {
		const step = told(await judge.judge('step', candidateOf(some)));
		if (step.verdict === after) commit = step;
		if (step.verdict === 'skip') skipped.push(some);
		return step.verdict === after;
	};
	let found = await smallestSet(changes, isChanged);
	// The result claims that it is good without any one of its options; a fix, that it is good with all of them.
	const claimedBy = (some: readonly Change[]) =>
		isFixed ? [some] : some.map(change => some.filter(other => other !== change));
	let proved: readonly Step[] = [];
	for (;;) {
		const claimed = claimedBy(found);
		proved = await proveGood(judge, claimed.map(candidateOf), onStep);
		const wrong = proved.findIndex(({verdict}) => verdict === 'bad');
		if (wrong < 0) break;
		if (proved[wrong]!.candidate.id === goodEnd.candidate.id) {
			throw new UsageError('The good configuration was given as good, but failed when it was tested longer.');
		}
		judge.beginAgain();
		if (!isFixed) commit = proved[wrong]!;
		found = await smallestSet(isFixed ? changes : claimed[wrong]!, isChanged);
	}
	// What could not be judged is said as a doubt.
	const judged = proved.filter(({verdict}) => verdict === 'good');
	const suspects = [{id: found.map(({name}) => name).join(' '), title: titleOfFound(found, before)}];
	const finding = findingOf(judge, {stage, isFixed, suspects, wanted: confidence, proved: judged});
	const others = changes.filter(change => !found.includes(change));
	const revert = told(await judge.judge('revert', candidateOf(others)));
	// Only skipped subsets of the result matter: sets outside of it do not show whether it can be smaller.
	const hidden = skipped.filter(some => some.every(change => found.includes(change))).map(some => titleOfChanges(some));
	const doubt = `A smaller set may be enough; these could not be judged: ${[...new Set(hidden)].join('; ')}`;
	return {
		finding,
		verification: {
			...{parent: isFixed ? badEnd : goodEnd, commit, revert},
			isConfirmed: revert.verdict === before && hidden.length === 0,
			...(hidden.length > 0 && {doubt}),
		},
	};
}

function titleOfFound(found: readonly Change[], before: string): string {
	return found.map(({name, bad, good}) => `${name}=${bad} (${before} has ${good})`).join(', ');
}

// SPDX-License-Identifier: GPL-2.0
import type {Candidate} from '../engine/candidate.ts';
import {smallestSet} from '../engine/ddmin.ts';
import type {Step} from '../engine/journal.ts';
import {Judge, type JudgeOptions} from '../engine/judge-candidate.ts';
import {stepConfidence} from '../engine/repeats.ts';
import {findingOf, type SearchResult} from '../engine/search.ts';
import {type Change, titleOfChanges} from '../guests/config-changes.ts';
import type {Verification} from '../repository/verify-commit.ts';

export type ConfigSearchOptions = Omit<JudgeOptions, 'stage'> & {
	/** The good configuration with some of the changes. */
	readonly candidateOf: (some: readonly Change[]) => Candidate;
	readonly onStep: (step: Step) => void;
};

/** Finds a smallest bad set of changes, and judges the bad configuration without it. */
export async function searchConfig(
	changes: readonly Change[],
	{candidateOf, onStep, confidence, ...options}: ConfigSearchOptions,
): Promise<{finding: SearchResult; verification: Verification}> {
	const stage = 'config';
	// An estimate: ddmin halves subsets and complements, and the number of steps is not known in advance.
	const steps = 2 * Math.ceil(Math.log2(changes.length + 1)) + 2;
	const judge = new Judge({...options, stage, confidence: stepConfidence(confidence, steps)});
	const told = (step: Step) => {
		onStep(step);
		return step;
	};
	const badEnd = told(await judge.measureBadEnd(candidateOf(changes)));
	const parent = told(await judge.proveGoodEnd(candidateOf([])));
	let commit = badEnd;
	const skipped: (readonly Change[])[] = [];
	const found = await smallestSet(changes, async some => {
		const step = told(await judge.judge('step', candidateOf(some)));
		if (step.verdict === 'bad') commit = step;
		if (step.verdict === 'skip') skipped.push(some);
		return step.verdict === 'bad';
	});
	const suspects = [{id: found.map(({name}) => name).join(' '), title: titleOfFound(found)}];
	const finding = findingOf(judge, {stage, suspects, wanted: confidence});
	const others = changes.filter(change => !found.includes(change));
	const revert = told(await judge.judge('revert', candidateOf(others)));
	// Only skipped subsets of the result matter: sets outside of it do not show whether it can be smaller.
	const hidden = skipped.filter(some => some.every(change => found.includes(change))).map(titleOfChanges);
	const doubt = `A smaller set may be enough; these could not be judged: ${[...new Set(hidden)].join('; ')}`;
	return {
		finding,
		verification: {
			...{parent, commit, revert},
			isConfirmed: revert.verdict === 'good' && hidden.length === 0,
			...(hidden.length > 0 && {doubt}),
		},
	};
}

function titleOfFound(found: readonly Change[]): string {
	return found.map(({name, bad, good}) => `${name}=${bad} (good has ${good})`).join(', ');
}

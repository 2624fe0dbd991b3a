import {UsageError} from '../../host/errors.ts';
import type {Candidate} from '../engine/candidate.ts';
import {smallestSet} from '../engine/ddmin.ts';
import type {Step} from '../engine/journal.ts';
import {Judge, type JudgeOptions} from '../engine/judge-candidate.ts';
import {findingOf, proveParents, type SearchResult} from '../engine/search.ts';
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
	const judge = new Judge({...options, stage, confidence});
	const told = (step: Step) => {
		onStep(step);
		return step;
	};
	const badEnd = told(await judge.measureBadEnd(candidateOf(changes)));
	const parent = told(await judge.proveGoodEnd(candidateOf([])));
	let commit = badEnd;
	const skipped: (readonly Change[])[] = [];
	const isBad = async (some: readonly Change[]) => {
		const step = told(await judge.judge('step', candidateOf(some)));
		if (step.verdict === 'bad') commit = step;
		if (step.verdict === 'skip') skipped.push(some);
		return step.verdict === 'bad';
	};
	let found = await smallestSet(changes, isBad);
	// The result claims that it is good without any one of its options.
	let parents: readonly Step[] = [];
	for (;;) {
		const without = found.map(change => found.filter(other => other !== change));
		parents = await proveParents(judge, without.map(candidateOf), onStep);
		const bad = parents.findIndex(({verdict}) => verdict === 'bad');
		if (bad < 0) break;
		if (without[bad]!.length === 0) {
			throw new UsageError('The good configuration was given as good, but failed when it was tested longer.');
		}
		judge.beginAgain();
		commit = parents[bad]!;
		found = await smallestSet(without[bad]!, isBad);
	}
	// What could not be judged is said as a doubt.
	const judged = parents.filter(({verdict}) => verdict === 'good');
	const suspects = [{id: found.map(({name}) => name).join(' '), title: titleOfFound(found)}];
	const finding = findingOf(judge, {stage, suspects, wanted: confidence, parents: judged});
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

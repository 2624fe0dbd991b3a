// SPDX-License-Identifier: GPL-2.0
import type {Candidate} from '../engine/candidate.ts';
import type {Step} from '../engine/journal.ts';
import type {Judge} from '../engine/judge-candidate.ts';
import type {Checkout} from './checkout.ts';

/** Evidence that a commit is the culprit; each part is judged again. */
export type Verification = {
	readonly parent: Step;
	readonly commit: Step;
	/** The newer end with the commit reverted; undefined where the revert does not apply. */
	readonly revert?: Step;
	/** All checks came out as expected. */
	readonly isConfirmed: boolean;
	/** Any other doubt; a sentence without its full stop. */
	readonly doubt?: string;
};

export type VerifyOptions = {
	readonly judge: Judge;
	readonly checkout: Checkout;
	/** The newer end. */
	readonly bad: Candidate;
	readonly onStep: (step: Step) => void;
	/** The commit mended the bug. */
	readonly isFixed?: boolean | undefined;
};

/** Judges the parent, the commit, and the newer end with the commit reverted. */
export async function verify(
	commit: Candidate,
	{judge, checkout, bad, onStep, isFixed = false}: VerifyOptions,
): Promise<Verification> {
	const ask = async (role: 'parent' | 'commit' | 'revert', candidate: Candidate) => {
		const told = new Set(judge.steps);
		const step = await judge.judge(role, candidate);
		// The parent may have been judged for long enough before.
		if (!told.has(step)) onStep(step);
		return step;
	};
	const parent = await ask('parent', await checkout.parent(commit.id));
	const itself = await ask('commit', commit);
	const reverted = await checkout.revertOn(bad, commit);
	const revert = reverted && (await ask('revert', reverted));
	const [before, after] = isFixed ? ['bad', 'good'] : ['good', 'bad'];
	const isConfirmed =
		parent.verdict === before && itself.verdict === after && (revert === undefined || revert.verdict === before);
	return {parent, commit: itself, ...(revert && {revert}), isConfirmed};
}

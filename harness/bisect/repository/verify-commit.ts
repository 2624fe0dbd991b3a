import type {Candidate} from '../engine/candidate.ts';
import type {Step} from '../engine/journal.ts';
import type {Judge} from '../engine/judge-candidate.ts';
import type {Checkout} from './checkout.ts';

/** What speaks for it that a commit is the culprit, each judged anew. */
export type Verification = {
	readonly parent: Step;
	readonly commit: Step;
	/** The bad end without the commit; nothing where the revert does not apply. */
	readonly revert?: Step;
	/** All of it is as it should be. */
	readonly isConfirmed: boolean;
	/** What else speaks against it; a sentence without its full stop. */
	readonly doubt?: string;
};

/** Asks the parent, the commit, and the bad end with the commit reverted. */
export async function verify(
	commit: Candidate,
	{judge, checkout, bad, onStep}: {judge: Judge; checkout: Checkout; bad: Candidate; onStep: (step: Step) => void},
): Promise<Verification> {
	const ask = async (role: 'parent' | 'commit' | 'revert', candidate: Candidate) => {
		const step = await judge.judge(role, candidate);
		onStep(step);
		return step;
	};
	const parent = await ask('parent', await checkout.parent(commit.id));
	const itself = await ask('commit', commit);
	const reverted = await checkout.revertOn(bad, commit);
	const revert = reverted && (await ask('revert', reverted));
	const isConfirmed =
		parent.verdict === 'good' && itself.verdict === 'bad' && (revert === undefined || revert.verdict === 'good');
	return {parent, commit: itself, ...(revert && {revert}), isConfirmed};
}

import type {Finding} from './bisect.ts';
import type {Checkout} from './checkout.ts';
import type {Step} from './journal.ts';
import type {Subject} from './subject.ts';

/** What speaks for it that a commit is the culprit, each judged anew. */
export type Verification = {
	readonly parent: Step;
	readonly commit: Step;
	/** The bad end without the commit; nothing where the revert does not apply. */
	readonly revert?: Step;
	/** All of it is as it should be. */
	readonly isConfirmed: boolean;
};

/** Asks the parent, the commit, and the bad end with the commit reverted. */
export async function verify(
	commit: Subject,
	{finding, checkout, bad, onStep}: {finding: Finding; checkout: Checkout; bad: Subject; onStep: (step: Step) => void},
): Promise<Verification> {
	const judge = async (role: 'parent' | 'commit' | 'revert', subject: Subject) => {
		const step = await finding.judge.judge(role, subject);
		onStep(step);
		return step;
	};
	const parent = await judge('parent', await checkout.parent(commit.id));
	const itself = await judge('commit', commit);
	const reverted = await checkout.revertOn(bad, commit);
	const revert = reverted && (await judge('revert', reverted));
	const isConfirmed =
		parent.verdict === 'good' && itself.verdict === 'bad' && (revert === undefined || revert.verdict === 'good');
	return {parent, commit: itself, ...(revert && {revert}), isConfirmed};
}

import type {Candidate} from '../engine/candidate.ts';
import type {Judge} from '../engine/judge-candidate.ts';
import type {SearchResult} from '../engine/search.ts';
import type {Checkout} from '../repository/checkout.ts';
import {verify} from '../repository/verify-commit.ts';
import {sayVerification} from './bisect-progress.ts';
import type {Result} from './bisect-report.ts';

/** Completes a result of a commit search. A single suspect is verified. */
export async function concludeCommit(
	{finding, judge}: {finding: SearchResult; judge: Judge},
	{checkout, bad, ...told}: {checkout: Checkout; bad: Candidate} & Pick<Result, 'predicate' | 'command' | 'directory'>,
): Promise<Result> {
	const [commit, ...others] = finding.suspects;
	const result = {...told, finding};
	if (!commit || others.length > 0) return result;
	const verification = await verify(commit, {
		...{judge, checkout, bad, onStep: sayVerification},
		isFixed: finding.isFixed,
	});
	return {...result, verification, text: await checkout.text(commit.id)};
}

import type {Finding} from './bisect.ts';
import type {Checkout} from './checkout.ts';
import type {Judge} from './judge.ts';
import {sayVerification} from './progress.ts';
import type {Result} from './report.ts';
import type {Subject} from './subject.ts';
import {verify} from './verify.ts';

/** All that there is to say of what was found among commits: one alone is verified. */
export async function concludeCommit(
	{finding, judge}: {finding: Finding; judge: Judge},
	{checkout, bad, ...told}: {checkout: Checkout; bad: Subject} & Pick<Result, 'question' | 'command' | 'directory'>,
): Promise<Result> {
	const [commit, ...others] = finding.suspects;
	const result = {...told, finding};
	if (!commit || others.length > 0) return result;
	const verification = await verify(commit, {judge, checkout, bad, onStep: sayVerification});
	return {...result, verification, text: await checkout.text(commit.id)};
}

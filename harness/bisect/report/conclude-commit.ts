// SPDX-License-Identifier: GPL-2.0
import type {Candidate} from '../engine/candidate.ts';
import type {Judge} from '../engine/judge-candidate.ts';
import type {SearchResult} from '../engine/search.ts';
import {type ConfigMap, renamesIn} from '../guests/config-changes.ts';
import type {Checkout} from '../repository/checkout.ts';
import {type Verification, verify} from '../repository/verify-commit.ts';
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
	const meaning = meaningOf(verification, renamesIn(await checkout.kconfigDiff(commit.id)));
	return {...result, ...meaning, text: await checkout.text(commit.id)};
}

/**
 * The bug may need an option that only the kernels on one side of the result have. Then the result shows the option, and
 * not the bug, unless the commit renames the option and the search can go on under both names.
 */
export function meaningOf(verification: Verification, renames: ConfigMap): Pick<Result, 'verification' | 'renames'> {
	const [before, after] = [verification.parent, verification.commit].map(({lost = []}) => new Set(lost));
	const come = [...before!].filter(option => !after!.has(option));
	const gone = [...after!].filter(option => !before!.has(option));
	if (come.length + gone.length === 0) return {verification};
	const names = new Set([...come, ...gone].map(option => option.split('=', 1)[0]!));
	const ours = new Map([...renames].filter(pair => pair.some(name => names.has(name))));
	const sides = [
		...(come.length > 0 ? [`before it the kernel has not ${listOf(come)}`] : []),
		...(gone.length > 0 ? [`from it on the kernel has not ${listOf(gone)}`] : []),
	];
	const doubt = `The result may be an option and not the bug: ${sides.join('; ')}, which the configuration asks for`;
	return {verification: {...verification, isConfirmed: false, doubt}, ...(ours.size > 0 && {renames: ours})};
}

function listOf(options: readonly string[]): string {
	const more = options.length > 5 ? ` and ${options.length - 5} more` : '';
	return `${options.slice(0, 5).join(', ')}${more}`;
}

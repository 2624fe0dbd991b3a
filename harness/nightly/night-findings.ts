// SPDX-License-Identifier: GPL-2.0
import {outcome} from '../results/compare/format-comparison.ts';
import {cellTitle} from '../results/run/cell-name.ts';
import type {NightFinding} from '../results/run/events.ts';
import {kernelWords} from '../results/run/kernel-summary.ts';
import type {JudgedCell, NightReport} from './judge-night.ts';
import {type KnownFailure, titleOf} from './known-failures.ts';

/** The findings that a night's end event keeps for reports, which cannot read the list of known failures later. */
export function findingsOf({findings, lost, passAgain, idle}: NightReport): readonly NightFinding[] {
	return [
		...findings.map(finding => ({
			kind: finding.kind,
			kernel: finding.kernel,
			cell: cellTitle(finding),
			words: [howItWent(finding), saidOf(finding)].filter(Boolean).join(': '),
		})),
		...lost.map(kernel => ({
			kind: 'kernel' as const,
			kernel: kernel.kernel,
			words: `${howItIs(kernel)}: ${kernelWords(kernel)}`,
		})),
		...passAgain.map(known => ofKnown('passesAgain', known)),
		...idle.map(known => ofKnown('idle', known)),
	];
}

/** For example `failed, and ran before`. */
export function howItIs({state, isRegression, hasBooted}: NightReport['lost'][number]): string {
	return `${state}${isRegression ? ', and ran before' : hasBooted ? ' halfway' : ''}`;
}

/** For example `fail, 7 of 10 reruns failed, new`. */
export function howItWent({night, reruns, isNew, since}: JudgedCell): string {
	const again = reruns && `${reruns.failed} of ${reruns.total} reruns failed`;
	return [outcome(night), again, isNew ? 'new' : `since ${since}`].filter(Boolean).join(', ');
}

function saidOf({known, night}: JudgedCell): string {
	if (!known) return night.message?.trim().split('\n', 1)[0] ?? '';
	return [`known since ${known.since}`, known.reason, known.issue].filter(Boolean).join(', ');
}

function ofKnown(kind: 'passesAgain' | 'idle', known: KnownFailure): NightFinding {
	const {kernel, since, reason, issue} = known;
	return {
		kind,
		...(kernel !== undefined && {kernel}),
		cell: titleOf(known),
		words: [`known since ${since}`, reason, issue].filter(Boolean).join(', '),
	};
}

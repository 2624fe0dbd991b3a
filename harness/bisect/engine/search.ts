// SPDX-License-Identifier: GPL-2.0
import type {Candidate, Range} from './candidate.ts';
import type {Step} from './journal.ts';
import {Judge, type JudgeOptions} from './judge-candidate.ts';
import {confidenceOf, type Rate, stepConfidence} from './repeats.ts';

export type SearchOptions = Omit<JudgeOptions, 'confidence'> & {
	readonly range: Range;
	/** Required confidence of the whole result, from 0 to 1. */
	readonly confidence: number;
	readonly onStep?: (step: Step, progress: SearchProgress) => void;
};

export type SearchProgress = {
	/** Candidates still in question, and the approximate number of steps that this takes. */
	readonly left: {readonly candidates: number; readonly steps: number};
	readonly repeats: number;
	readonly steps: readonly Step[];
};

export type SearchResult = {
	readonly stage: string;
	/** The first bad candidate, or several when skipped candidates hide which one is first. */
	readonly suspects: readonly Candidate[];
	readonly steps: readonly Step[];
	/** Failure rate of the bad end. */
	readonly rate: Rate;
	readonly symptoms: readonly string[];
	/** Number of passes that made a candidate good. */
	readonly repeats: number;
	readonly confidence: number;
	/** The confidence that was required. */
	readonly wanted: number;
};

/**
 * Measures both ends, then halves the range until one candidate is left. The returned judge serves the checks that
 * follow (parent, commit, revert). Throws UsageError for ends that are not good or not bad, HostFaultError when this
 * host gives no answers.
 */
export async function bisect({
	range,
	confidence,
	onStep,
	...options
}: SearchOptions): Promise<{finding: SearchResult; judge: Judge}> {
	// The result needs the good end's verdict and all steps to be right together.
	const judge = new Judge({...options, confidence: stepConfidence(confidence, range.left().steps + 1)});
	const tell = (step: Step) => onStep?.(step, {left: range.left(), repeats: judge.repeats, steps: judge.steps});
	tell(await judge.measureBadEnd(range.bad));
	tell(await judge.proveGoodEnd(range.good));
	for (let candidate = await range.next(); candidate; candidate = await range.next()) {
		const step = await judge.judge('step', candidate);
		await range.mark(candidate, step.verdict);
		tell(step);
	}
	const suspects = await range.suspects();
	return {finding: findingOf(judge, {stage: options.stage, suspects, wanted: confidence}), judge};
}

/** Summarizes a judge's steps. `steps` is the judge's own list, so later steps appear in it, too. */
export function findingOf(judge: Judge, what: Pick<SearchResult, 'stage' | 'suspects' | 'wanted'>): SearchResult {
	const passes = judge.steps.filter(({verdict, sameAs}) => verdict === 'good' && !sameAs).map(({asked}) => asked);
	const {steps, rate, symptoms, repeats} = judge;
	return {...what, steps, rate, symptoms, repeats, confidence: confidenceOf(rate, passes)};
}

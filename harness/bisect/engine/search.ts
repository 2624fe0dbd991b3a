import type {Candidate, Range} from './candidate.ts';
import type {Step} from './journal.ts';
import {Judge, type JudgeOptions} from './judge-candidate.ts';
import {confidenceOf, type Rate, stepConfidence} from './repeats.ts';

export type SearchOptions = Omit<JudgeOptions, 'confidence'> & {
	readonly range: Range;
	/** How sure the whole result has to be. */
	readonly confidence: number;
	readonly onStep?: (step: Step, progress: SearchProgress) => void;
};

export type SearchProgress = {
	/** Subjects still in predicate, and steps that takes about. */
	readonly left: {readonly candidates: number; readonly steps: number};
	readonly repeats: number;
	readonly steps: readonly Step[];
};

export type SearchResult = {
	readonly stage: string;
	/** One, or several where those that were skipped hide which of them it is. */
	readonly suspects: readonly Candidate[];
	readonly steps: readonly Step[];
	/** Of the bad end. */
	readonly rate: Rate;
	readonly symptoms: readonly string[];
	/** So many passes made a candidate good. */
	readonly repeats: number;
	readonly confidence: number;
	/** So sure it had to be. */
	readonly wanted: number;
};

/**
 * Proves both ends, then halves the range until one is left; the judge is for what comes after: parent, commit, revert.
 * Throws UsageError for ends that are none, HostFaultError where this host gives no answers.
 */
export async function bisect({
	range,
	confidence,
	onStep,
	...options
}: SearchOptions): Promise<{finding: SearchResult; judge: Judge}> {
	// All verdicts have to be right at once: the good end's and those of the steps.
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

/** What a judge's steps so far come to; those that it goes on to judge are listed, too. */
export function findingOf(judge: Judge, what: Pick<SearchResult, 'stage' | 'suspects' | 'wanted'>): SearchResult {
	const passes = judge.steps.filter(({verdict, sameAs}) => verdict === 'good' && !sameAs).map(({asked}) => asked);
	const {steps, rate, symptoms, repeats} = judge;
	return {...what, steps, rate, symptoms, repeats, confidence: confidenceOf(rate, passes)};
}

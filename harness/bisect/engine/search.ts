import {type Candidate, HostFaultError, type Range} from './candidate.ts';
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
	const suspects = await halve(range, async candidate => {
		const step = await judge.judge('step', candidate);
		await range.mark(candidate, step.verdict);
		tell(step);
	});
	return {finding: findingOf(judge, {stage: options.stage, suspects, wanted: confidence}), judge};
}

/**
 * Judges what the range proposes until nothing is left. Throws HostFaultError when the range makes no progress: it
 * would go on for ever.
 */
async function halve(range: Range, judge: (candidate: Candidate) => Promise<void>): Promise<readonly Candidate[]> {
	const judged = new Set<string>();
	for (let candidate = await range.next(); candidate; candidate = await range.next()) {
		if (judged.has(candidate.id)) throw noProgress(range, `${candidate.title} is proposed again`);
		judged.add(candidate.id);
		const before = range.left().candidates;
		await judge(candidate);
		const {candidates} = range.left();
		if (candidates >= before) throw noProgress(range, `${candidates} of ${before} are left after ${candidate.title}`);
	}
	const suspects = await range.suspects();
	if (suspects.length === 0) throw noProgress(range, 'nothing is left to be the first bad one');
	return suspects;
}

function noProgress(range: Range, how: string): HostFaultError {
	const source = range.source?.();
	return new HostFaultError(`The bisect makes no progress: ${how}.${source === undefined ? '' : ` ${source}`}`);
}

/** Summarizes a judge's steps. `steps` is the judge's own list, so later steps appear in it, too. */
export function findingOf(judge: Judge, what: Pick<SearchResult, 'stage' | 'suspects' | 'wanted'>): SearchResult {
	const passes = judge.steps.filter(({verdict, sameAs}) => verdict === 'good' && !sameAs).map(({asked}) => asked);
	const {steps, rate, symptoms, repeats} = judge;
	return {...what, steps, rate, symptoms, repeats, confidence: confidenceOf(rate, passes)};
}

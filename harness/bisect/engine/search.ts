// SPDX-License-Identifier: GPL-2.0
import {UsageError} from '../../host/errors.ts';
import {type Candidate, HostFaultError, type Range} from './candidate.ts';
import type {Step} from './journal.ts';
import {Judge, type JudgeOptions} from './judge-candidate.ts';
import type {Rate} from './repeats.ts';

export type SearchOptions = JudgeOptions & {
	readonly range: Range;
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
	/** The suspects mended the bug instead of bringing it. */
	readonly isFixed?: boolean;
	/** The first bad candidate, or several when skipped candidates hide which one is first. */
	readonly suspects: readonly Candidate[];
	readonly steps: readonly Step[];
	/** Failure rate of the bad end. */
	readonly rate: Rate;
	readonly symptoms: readonly string[];
	/** Failure rate of the bad candidates next to the first bad one. */
	readonly nearestRate: Rate;
	/** Number of passes that made a candidate good in a step, at the end of the search. */
	readonly repeats: number;
	/** Probability that what the result claims to be good is good: the parents of the first bad candidate, or the fix. */
	readonly confidence: number;
	/** How often each of those passed at least; undefined if there was none to test. */
	readonly provedPasses?: number;
	/** The confidence that was required. */
	readonly wanted: number;
};

/**
 * Measures both ends, halves the range until one candidate is left, and proves the ones before it. The returned judge serves the checks that
 * follow (parent, commit, revert). Throws UsageError for ends that are not good or not bad, HostFaultError when this
 * host gives no answers.
 */
export async function bisect({
	range,
	confidence,
	onStep,
	...options
}: SearchOptions): Promise<{finding: SearchResult; judge: Judge}> {
	const judge = new Judge({...options, confidence});
	const tell = (step: Step) => onStep?.(step, {left: range.left(), repeats: judge.repeats, steps: judge.steps});
	const {isFixed = false} = options;
	const [bad, good] = isFixed ? [range.good, range.bad] : [range.bad, range.good];
	tell(await judge.measureBadEnd(bad));
	tell(await judge.proveGoodEnd(good));
	const starts = new Set<string>();
	for (;;) {
		const suspects = await halve(range, async candidate => {
			const step = await judge.judge('step', candidate);
			await range.mark(candidate, isFixed ? opposite[step.verdict] : step.verdict);
			tell(step);
		});
		// Of several suspects it is not claimed which is good.
		const claimed = isFixed ? suspects.filter(() => suspects.length === 1) : await range.parents();
		const proved = await proveGood(judge, claimed, tell);
		const wrong = proved.find(({verdict}) => verdict === 'bad')?.candidate;
		if (!wrong) {
			const what = {stage: options.stage, isFixed, suspects, wanted: confidence, proved};
			return {finding: findingOf(judge, what), judge};
		}
		if (starts.has(wrong.id)) throw noProgress(range, `the search begins at ${wrong.title} again`);
		starts.add(wrong.id);
		if (wrong.id === good.id) {
			throw new UsageError(`${wrong.title} was given as good, but failed when it was tested longer.`);
		}
		judge.beginAgain();
		await (isFixed ? range.searchAfter(wrong) : range.searchBefore(wrong));
	}
}

const opposite = {good: 'bad', bad: 'good', skip: 'skip'} as const;

/**
 * Judges what the result claims to be good (the parents of a first bad commit, or a fix) for as long as the confidence
 * needs, until one is bad. In a history whose bad candidates follow each other, this finds each "good" that was wrong.
 */
export async function proveGood(
	judge: Judge,
	claimed: readonly Candidate[],
	tell: (step: Step) => void,
): Promise<readonly Step[]> {
	const steps: Step[] = [];
	for (const candidate of claimed) {
		const step = await judge.judge(judge.provedRole, candidate, {parents: claimed.length});
		tell(step);
		steps.push(step);
		if (step.verdict === 'bad') break;
	}
	return steps;
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
export function findingOf(
	judge: Judge,
	{
		proved,
		...what
	}: Pick<SearchResult, 'stage' | 'isFixed' | 'suspects' | 'wanted'> & {readonly proved: readonly Step[]},
): SearchResult {
	const {steps, rate, nearestRate, symptoms, repeats} = judge;
	const passes = proved.map(({asked, failed}) => asked - failed);
	return {
		...{...what, steps, rate, nearestRate, symptoms, repeats, confidence: judge.confidenceIn(proved)},
		...(passes.length > 0 && {provedPasses: Math.min(...passes)}),
	};
}

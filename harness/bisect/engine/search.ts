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
	/** Probability that the candidates before the suspects are good, so that nothing earlier is the first bad one. */
	readonly confidence: number;
	/** How often each of those passed at least; undefined if there was none to test. */
	readonly parentPasses?: number;
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
	tell(await judge.measureBadEnd(range.bad));
	tell(await judge.proveGoodEnd(range.good));
	const starts = new Set<string>();
	for (;;) {
		const suspects = await halve(range, async candidate => {
			const step = await judge.judge('step', candidate);
			await range.mark(candidate, step.verdict);
			tell(step);
		});
		const parents = await proveParents(judge, await range.parents(), tell);
		const bad = parents.find(({verdict}) => verdict === 'bad')?.candidate;
		if (!bad) {
			const what = {stage: options.stage, suspects, wanted: confidence, parents};
			return {finding: findingOf(judge, what), judge};
		}
		if (starts.has(bad.id)) throw noProgress(range, `the search begins before ${bad.title} again`);
		starts.add(bad.id);
		if (bad.id === range.good.id) {
			throw new UsageError(`${bad.title} was given as good, but failed when it was tested longer.`);
		}
		judge.beginAgain();
		await range.searchBefore(bad);
	}
}

/**
 * Judges the candidates before the result for as long as the confidence needs, until one is bad. In a history whose bad
 * candidates follow each other, this finds each earlier "good" that was wrong.
 */
export async function proveParents(
	judge: Judge,
	parents: readonly Candidate[],
	tell: (step: Step) => void,
): Promise<readonly Step[]> {
	const steps: Step[] = [];
	for (const parent of parents) {
		const step = await judge.judge('parent', parent, {parents: parents.length});
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
	{parents, ...what}: Pick<SearchResult, 'stage' | 'suspects' | 'wanted'> & {readonly parents: readonly Step[]},
): SearchResult {
	const {steps, rate, nearestRate, symptoms, repeats} = judge;
	const passes = parents.map(({asked, failed}) => asked - failed);
	return {
		...{...what, steps, rate, nearestRate, symptoms, repeats, confidence: judge.confidenceIn(parents)},
		...(passes.length > 0 && {parentPasses: Math.min(...passes)}),
	};
}

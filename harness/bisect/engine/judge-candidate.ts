// SPDX-License-Identifier: GPL-2.0
import {UsageError} from '../../host/errors.ts';
import type {Attempt} from './attempt.ts';
import {type Answer, type Candidate, CandidateError, type TestBench} from './candidate.ts';
import {type Symptoms, tally} from './decide.ts';
import {Evidence} from './evidence.ts';
import {type Journal, keyOf, type Role, type Step, type StepName} from './journal.ts';
import {
	firstMeasure,
	flakyMeasure,
	mostRepeats,
	parentMissChance,
	parentRepeatsFor,
	type Rate,
	repeatsFor,
} from './repeats.ts';
import {type Sampling, sampleUntil, sampleVerdict} from './sampling.ts';

export type JudgeOptions = {
	readonly stage: string;
	readonly testBench: TestBench;
	readonly journal: Journal;
	/** Any failure is bad, not only the symptoms of the bad end. */
	readonly isAnyFailure: boolean;
	/** The search is for what mended the bug: the older end is bad. */
	readonly isFixed?: boolean | undefined;
	/** Required confidence of the result, from 0 to 1. */
	readonly confidence: number;
};

/** Maximum number of attempts on a bad end that fails too rarely for any number of repeats. */
const longestMeasure = 60;

/** Judges candidates by repeated attempts. What the journal knows is not run again. */
export class Judge {
	readonly #options: JudgeOptions;
	readonly #evidence = new Evidence();
	readonly steps: Step[] = [];
	#symptoms: Symptoms;
	#rate: Rate = {failed: 0, asked: 0};
	#parentDoubt: number;

	constructor(options: JudgeOptions) {
		this.#options = options;
		this.#parentDoubt = (1 - options.confidence) * (2 / 3);
	}

	/** Failure rate of the bad end. */
	get rate(): Rate {
		return this.#rate;
	}

	/** Failure rate of the bad candidates next to the first bad one, as far as the search has come. */
	get nearestRate(): Rate {
		return this.#evidence.nearestRate(this.#symptoms);
	}

	/** Number of passes that makes a candidate good in a step. */
	get repeats(): number {
		return repeatsFor(this.nearestRate) ?? mostRepeats;
	}

	/** Number of passes that each of the candidates before the first bad one needs. */
	#parentRepeats(parents = 1): number {
		return parentRepeatsFor(this.nearestRate, 1 - this.#parentDoubt / parents);
	}

	/** The last parents were bad, and others follow: the chances to miss one of them have to add up to what is allowed. */
	beginAgain(): void {
		this.#parentDoubt /= 3;
	}

	#repeatsOf(role: Role, parents?: number): number {
		if (role === 'step') return this.repeats;
		const isGoodExpected = role === 'revert' && !this.#options.isFixed;
		if (isGoodExpected) return repeatsFor(this.nearestRate, this.#options.confidence) ?? mostRepeats;
		// It has to be good for sure, or is bad already: a rare bug must not look mended because the check was short.
		return this.#parentRepeats(parents);
	}

	/** The role of the candidate next to the last bad one, which the result claims to be good. */
	get provedRole(): Role {
		return this.#options.isFixed ? 'commit' : 'parent';
	}

	/** Whether a role is judged anew, whatever is known of the image. */
	#isFresh(role: Role): boolean {
		return role === 'revert' || ((role === 'commit' || role === 'parent') && role !== this.provedRole);
	}

	/** Probability that these, the candidates before the result, are all good. */
	confidenceIn(parents: readonly Step[]): number {
		const miss = ({verdict, fingerprint}: Step) => {
			const {passed} = tally(this.#evidence.of(fingerprint), this.#symptoms);
			return verdict === 'good' ? parentMissChance(this.nearestRate, passed) : 1;
		};
		return Math.max(0, 1 - parents.reduce((sum, parent) => sum + miss(parent), 0));
	}

	/** Symptoms of the bad end. */
	get symptoms(): readonly string[] {
		return [...(this.#symptoms ?? [])];
	}

	/** Runs attempts on the bad end until its failure rate is known. Throws UsageError when it is not bad. */
	async measureBadEnd(candidate: Candidate): Promise<Step> {
		const {isAnyFailure} = this.#options;
		const name = this.#name('bad end', candidate);
		const fingerprint = await this.#prepareEnd(name);
		const attempts = await this.#askEndUntil(name, sofar => this.#wantedOfBadEnd(sofar));
		const {bad: failed, asked} = tally(attempts, undefined);
		requireApplicable(candidate, 'bad', attempts);
		if (failed === 0) {
			throw new UsageError(`${candidate.title} was given as bad, but passed all ${asked} repeats.`);
		}
		this.#rate = {failed, asked};
		if (!this.#isFrequent(this.#rate)) {
			throw new UsageError(
				`${candidate.title} was given as bad, but failed only ${failed} of ${asked} times: to tell good from bad would need more than ${mostRepeats} repeats. Use a case that fails more often, or a lower --confidence.`,
			);
		}
		this.#symptoms = isAnyFailure
			? undefined
			: new Set(attempts.flatMap(({end, symptoms}) => (end === 'fail' ? symptoms : [])));
		return this.#conclude(name, {verdict: 'bad', attempts, fingerprint});
	}

	/** Throws UsageError when the candidate is not good. */
	async proveGoodEnd(candidate: Candidate): Promise<Step> {
		const name = this.#name('good end', candidate);
		const fingerprint = await this.#prepareEnd(name);
		const wanted = Math.max(firstMeasure, this.repeats);
		const attempts = await this.#askEndUntil(name, sofar => {
			const {passed, bad, other, skipped, asked: said} = tally(sofar, this.#symptoms);
			if (skipped > 0 && said === 0) return 0;
			// After a failure, firstMeasure attempts in all show whether it fails always or is flaky; the error says
			// which.
			return bad + other > 0 ? firstMeasure - bad - other - passed : wanted - passed;
		});
		requireApplicable(candidate, 'good', attempts);
		const {bad, other, passed, asked} = tally(attempts, this.#symptoms);
		const why = attempts.find(({end}) => end === 'fail')?.message ?? '';
		if (bad === asked) throw new UsageError(`${candidate.title} was given as good, but is bad: ${why}.`);
		if (bad > 0) {
			throw new UsageError(
				`${candidate.title} was given as good, but is flaky: it failed ${bad} of ${asked} times: ${why}.`,
			);
		}
		if (other > 0) {
			throw new UsageError(
				`${candidate.title} was given as good, but it failed ${other} of ${passed + other} times, differently from the bad end: ${why}.`,
			);
		}
		return this.#conclude(name, {verdict: 'good', attempts, fingerprint});
	}

	/**
	 * Judges a candidate. Steps and what the result claims to be good build on all that is known of the image; the other
	 * final checks are made anew. All of `parents` have to be good for the result to be right.
	 */
	async judge(role: Role, candidate: Candidate, {parents}: {parents?: number} = {}): Promise<Step> {
		const name = this.#name(role, candidate);
		const repeats = this.#repeatsOf(role, parents);
		const known = this.#options.journal.step(name);
		if (known && this.#isEnough(known, repeats)) return this.#keep(known);
		let fingerprint: string | undefined;
		try {
			fingerprint = await this.#prepare(name);
			const others = this.#isFresh(role) ? [] : this.#evidence.of(fingerprint, {except: keyOf(name)});
			const sampling = this.#sampling(name);
			const judged = await sampleVerdict(
				{...sampling, known: [...others, ...sampling.known]},
				{repeats, symptomsOf: () => this.#symptoms},
			);
			const owner = this.#evidence.ownerOf(fingerprint);
			if (judged.attempts.length === others.length && owner && owner.id !== candidate.id) {
				return this.#conclude(name, {...judged, attempts: [], fingerprint, sameAs: owner});
			}
			return this.#conclude(name, {fingerprint, ...judged});
		} catch (error) {
			if (!(error instanceof CandidateError)) throw error;
			return this.#conclude(name, {verdict: 'skip', attempts: [], fingerprint, reason: error.message});
		}
	}

	/** Whether the verdict holds by what is asked of it now: more passes may be needed than when it was made. */
	#isEnough({role, verdict, fingerprint, candidate, stage}: Step, repeats: number): boolean {
		if (verdict !== 'good' || this.#isFresh(role)) return true;
		this.#learn({role, candidate, stage}, fingerprint);
		return tally(this.#evidence.of(fingerprint), this.#symptoms).passed >= repeats;
	}

	#learn(name: StepName, fingerprint: string | undefined): void {
		if (fingerprint === undefined || this.#isFresh(name.role)) return;
		const attempts = this.#options.journal.attempts(name);
		this.#evidence.learn(fingerprint, {key: keyOf(name), candidate: name.candidate, attempts});
	}

	#name(role: Role, candidate: Candidate): StepName {
		return {stage: this.#options.stage, role, candidate};
	}

	async #prepareEnd(name: StepName): Promise<string> {
		return asEnd(name, this.#prepare(name));
	}

	async #prepare(name: StepName): Promise<string> {
		const {testBench, journal} = this.#options;
		const startedAt = performance.now();
		// A failed build is recorded as well: its time counts.
		let [isReused, lost]: [boolean, readonly string[]] = [false, []];
		try {
			const prepared = await testBench.prepare(name.candidate);
			({isReused, lost = []} = prepared);
			return prepared.fingerprint;
		} finally {
			journal.addPrepared(name, {
				ms: Math.round(performance.now() - startedAt),
				isReused,
				...(lost.length > 0 && {lost}),
			});
		}
	}

	#sampling(name: StepName): Sampling {
		const {testBench, journal} = this.#options;
		return {
			candidate: name.candidate,
			known: journal.attempts(name),
			async ask(times) {
				const startedAt = performance.now();
				const attempts = await testBench.ask(name.candidate, times);
				// Void attempts are not journaled: they would count against this host after it has recovered.
				const lasting = attempts.filter(({end}) => end !== 'void');
				journal.addAttempts(name, lasting, Math.round(performance.now() - startedAt));
				return attempts;
			},
		};
	}

	#askEndUntil(name: StepName, wanted: (attempts: readonly Attempt[]) => number): Promise<readonly Attempt[]> {
		return asEnd(name, sampleUntil(this.#sampling(name), wanted));
	}

	#wantedOfBadEnd(attempts: readonly Attempt[]): number {
		const {bad: failed, asked, skipped} = tally(attempts, undefined);
		if (skipped > 0 && asked === 0) return 0;
		if (asked < firstMeasure) return firstMeasure - asked;
		// A flaky bad end: measure more, since a low rate may still be enough.
		if (failed < asked && asked < flakyMeasure) return flakyMeasure - asked;
		const isEnough = failed === 0 || this.#isFrequent({failed, asked});
		return isEnough || asked >= longestMeasure ? 0 : flakyMeasure;
	}

	/** Whether the result can reach the confidence with this rate. */
	#isFrequent(rate: Rate): boolean {
		return parentMissChance(rate, mostRepeats) <= 1 - this.#options.confidence;
	}

	#conclude(name: StepName, {verdict, attempts, fingerprint, reason, sameAs}: Conclusion): Step {
		const {journal} = this.#options;
		const {bad, asked} = tally(attempts, this.#symptoms);
		const prepared = journal.prepared(name);
		const console = attempts.findLast(attempt => attempt.consolePath !== undefined)?.consolePath;
		const step: Step = {
			type: 'step',
			...name,
			verdict,
			failed: bad,
			asked,
			...(reason !== undefined && {reason}),
			...(fingerprint !== undefined && {fingerprint}),
			...(prepared && {isReused: prepared.isReused}),
			...(prepared?.lost && {lost: prepared.lost}),
			...(sameAs && {sameAs}),
			prepareMs: prepared?.ms ?? 0,
			ms: journal.askedMs(name),
			...(console !== undefined && {console}),
		};
		const before = journal.step(name);
		const isNew = !before || before.verdict !== step.verdict || before.asked !== step.asked;
		if (isNew) journal.addStep(step);
		return this.#keep(isNew ? step : before);
	}

	#keep(step: Step): Step {
		const {verdict, fingerprint, role, candidate} = step;
		this.#learn(step, fingerprint);
		if (verdict === 'bad' && fingerprint !== undefined && !this.#isFresh(role)) this.#evidence.addBad(fingerprint);
		// The journal keeps one step per name; it counts once, however often it is requested.
		const index = this.steps.findIndex(each => each.role === role && each.candidate.id === candidate.id);
		if (index < 0) this.steps.push(step);
		else this.steps[index] = step;
		return step;
	}
}

type Conclusion = {
	readonly verdict: Answer;
	readonly attempts: readonly Attempt[];
	readonly fingerprint: string | undefined;
	readonly reason?: string;
	readonly sameAs?: Candidate;
};

/** Turns a CandidateError of an end into a UsageError: an end that does not build or boot is unusable. */
async function asEnd<T>({role, candidate}: StepName, work: Promise<T>): Promise<T> {
	try {
		return await work;
	} catch (error) {
		if (!(error instanceof CandidateError)) throw error;
		throw new UsageError(`The ${role}, ${candidate.title}, cannot be tested: ${error.message}`, {cause: error});
	}
}

function requireApplicable(candidate: Candidate, end: string, attempts: readonly Attempt[]): void {
	const {asked, skipped} = tally(attempts, undefined);
	if (asked > 0 || skipped === 0) return;
	const why = attempts.find(({end: how}) => how === 'skip')?.message;
	throw new UsageError(`${candidate.title}, the ${end} end, does not count: the case is skipped there: ${why}`);
}

// SPDX-License-Identifier: GPL-2.0
import {UsageError} from '../../host/errors.ts';
import type {Attempt} from './attempt.ts';
import {type Answer, type Candidate, CandidateError, type TestBench} from './candidate.ts';
import {type Symptoms, tally} from './decide.ts';
import type {Journal, Role, Step, StepName} from './journal.ts';
import {firstMeasure, flakyMeasure, mostRepeats, type Rate, repeatsFor} from './repeats.ts';
import {type Sampling, sampleUntil, sampleVerdict} from './sampling.ts';

export type JudgeOptions = {
	readonly stage: string;
	readonly testBench: TestBench;
	readonly journal: Journal;
	/** Any failure is bad, not only the symptoms of the bad end. */
	readonly isAnyFailure: boolean;
	/** Required confidence of a single verdict, from 0 to 1. */
	readonly confidence: number;
};

/** Maximum number of attempts on a bad end that fails too rarely for any number of repeats. */
const longestMeasure = 60;

/** Judges candidates by repeated attempts. What the journal knows is not run again. */
export class Judge {
	readonly #options: JudgeOptions;
	readonly #byFingerprint = new Map<string, Step>();
	readonly steps: Step[] = [];
	#symptoms: Symptoms;
	#rate: Rate = {failed: 0, asked: 0};
	#repeats = 0;

	constructor(options: JudgeOptions) {
		this.#options = options;
	}

	/** Failure rate of the bad end. */
	get rate(): Rate {
		return this.#rate;
	}

	/** Number of passes that makes a candidate good. */
	get repeats(): number {
		return this.#repeats;
	}

	/** Symptoms of the bad end. */
	get symptoms(): readonly string[] {
		return [...(this.#symptoms ?? [])];
	}

	/** Runs attempts on the bad end until its failure rate is known. Throws UsageError when it is not bad. */
	async measureBadEnd(candidate: Candidate): Promise<Step> {
		const {confidence, isAnyFailure} = this.#options;
		const name = this.#name('bad end', candidate);
		const fingerprint = await this.#prepareEnd(name);
		const attempts = await this.#askEndUntil(name, sofar => this.#wantedOfBadEnd(sofar));
		const {bad: failed, asked} = tally(attempts, undefined);
		requireApplicable(candidate, 'bad', attempts);
		if (failed === 0) {
			throw new UsageError(`${candidate.title} was given as bad, but passed all ${asked} repeats.`);
		}
		this.#rate = {failed, asked};
		const repeats = repeatsFor(this.#rate, confidence);
		if (repeats === undefined) {
			throw new UsageError(
				`${candidate.title} was given as bad, but failed only ${failed} of ${asked} times: each step would need more than ${mostRepeats} repeats. Use a case that fails more often, or a lower --confidence.`,
			);
		}
		this.#repeats = repeats;
		this.#symptoms = isAnyFailure
			? undefined
			: new Set(attempts.flatMap(({end, symptoms}) => (end === 'fail' ? symptoms : [])));
		return this.#conclude(name, {verdict: 'bad', attempts, fingerprint});
	}

	/** Throws UsageError when the candidate is not good. */
	async proveGoodEnd(candidate: Candidate): Promise<Step> {
		const name = this.#name('good end', candidate);
		const fingerprint = await this.#prepareEnd(name);
		const wanted = Math.max(firstMeasure, this.#repeats);
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

	async judge(role: Role, candidate: Candidate): Promise<Step> {
		const name = this.#name(role, candidate);
		const known = this.#options.journal.step(name);
		if (known) return this.#writeCached(known);
		let fingerprint: string | undefined;
		try {
			fingerprint = await this.#prepare(name);
			const same = role === 'step' ? this.#byFingerprint.get(fingerprint) : undefined;
			if (same) return this.#conclude(name, {verdict: same.verdict, attempts: [], fingerprint, sameAs: same.candidate});
			const judged = await sampleVerdict(this.#sampling(name), {
				repeats: this.#repeats,
				symptomsOf: () => this.#symptoms,
			});
			return this.#conclude(name, {fingerprint, ...judged});
		} catch (error) {
			if (!(error instanceof CandidateError)) throw error;
			return this.#conclude(name, {verdict: 'skip', attempts: [], fingerprint, reason: error.message});
		}
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
		let isReused = false;
		try {
			const prepared = await testBench.prepare(name.candidate);
			({isReused} = prepared);
			return prepared.fingerprint;
		} finally {
			journal.addPrepared(name, {ms: Math.round(performance.now() - startedAt), isReused});
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
		const isEnough = failed === 0 || repeatsFor({failed, asked}, this.#options.confidence) !== undefined;
		return isEnough || asked >= longestMeasure ? 0 : flakyMeasure;
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
			...(sameAs && {sameAs}),
			prepareMs: prepared?.ms ?? 0,
			ms: journal.askedMs(name),
			...(console !== undefined && {console}),
		};
		if (!journal.step(name)) journal.addStep(step);
		return this.#writeCached(journal.step(name)!);
	}

	#writeCached(step: Step): Step {
		if (step.fingerprint !== undefined && step.verdict !== 'skip' && !this.#byFingerprint.has(step.fingerprint)) {
			this.#byFingerprint.set(step.fingerprint, step);
		}
		// The journal keeps one step per name; it counts once, however often it is requested.
		if (!this.steps.includes(step)) this.steps.push(step);
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

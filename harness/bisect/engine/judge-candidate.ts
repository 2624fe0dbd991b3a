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
	/** Any failure is bad, not only those that the bad end shows. */
	readonly isAnyFailure: boolean;
	/** How sure a single verdict has to be. */
	readonly confidence: number;
};

/** Where a bad end fails so rarely that no number of repeats is enough, it is measured up to here. */
const longestMeasure = 60;

/** Judges candidates by repeats, each once: what the journal knows is not asked again. */
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

	/** Of the bad end. */
	get rate(): Rate {
		return this.#rate;
	}

	/** So many passes make a candidate good. */
	get repeats(): number {
		return this.#repeats;
	}

	/** What the bad end shows. */
	get symptoms(): readonly string[] {
		return [...(this.#symptoms ?? [])];
	}

	/** Asks the bad end until its failure rate is known. Throws UsageError where that is no bad end. */
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

	/** Throws UsageError where that is no good end. */
	async proveGoodEnd(candidate: Candidate): Promise<Step> {
		const name = this.#name('good end', candidate);
		const fingerprint = await this.#prepareEnd(name);
		const wanted = Math.max(firstMeasure, this.#repeats);
		const attempts = await this.#askEndUntil(name, sofar => {
			const {passed, bad, other, skipped, asked: said} = tally(sofar, this.#symptoms);
			if (skipped > 0 && said === 0) return 0;
			// Whether it always fails or at times only is worth knowing; then it is over.
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
		// What does not build has taken its time, too.
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
				// What proved nothing would count against a host that is well again.
				const lasting = attempts.filter(({end}) => end !== 'void');
				journal.addTrials(name, lasting, Math.round(performance.now() - startedAt));
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
		// It may be one that fails rarely, yet often enough to be found.
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
		// The journal has one of each name; it counts once, however often it is wanted.
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

/** An end that does not build or boot is no end. */
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

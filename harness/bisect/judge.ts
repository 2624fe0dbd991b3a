import {UsageError} from '../host/errors.ts';
import {type Asking, askForVerdict, askUntil} from './asking.ts';
import {type Symptoms, tally} from './decide.ts';
import type {Journal, Role, Step, StepName} from './journal.ts';
import {firstMeasure, flakyMeasure, mostRepeats, type Rate, repeatsFor} from './repeats.ts';
import {type Laboratory, type Subject, SubjectError, type Verdict} from './subject.ts';
import type {Trial} from './trial.ts';

export type JudgeOptions = {
	readonly stage: string;
	readonly laboratory: Laboratory;
	readonly journal: Journal;
	/** Any failure is bad, not only those that the bad end shows. */
	readonly isAnyFailure: boolean;
	/** How sure a single verdict has to be. */
	readonly confidence: number;
};

/** Where a bad end fails so rarely that no number of repeats is enough, it is measured up to here. */
const longestMeasure = 60;

/** Judges subjects by repeats, each once: what the journal knows is not asked again. */
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

	/** So many passes make a subject good. */
	get repeats(): number {
		return this.#repeats;
	}

	/** What the bad end shows. */
	get symptoms(): readonly string[] {
		return [...(this.#symptoms ?? [])];
	}

	/** Asks the bad end until its failure rate is known. Throws UsageError where that is no bad end. */
	async measureBadEnd(subject: Subject): Promise<Step> {
		const {confidence, isAnyFailure} = this.#options;
		const name = this.#name('bad end', subject);
		const fingerprint = await this.#prepareEnd(name);
		const trials = await this.#askEndUntil(name, sofar => this.#wantedOfBadEnd(sofar));
		const {bad: failed, asked} = tally(trials, undefined);
		mustApply(subject, 'bad', trials);
		if (failed === 0) {
			throw new UsageError(
				`${subject.title} was given as bad, but all is well there: ${asked} of ${asked} repeats passed.`,
			);
		}
		this.#rate = {failed, asked};
		const repeats = repeatsFor(this.#rate, confidence);
		if (repeats === undefined) {
			throw new UsageError(
				`${subject.title} was given as bad, but failed only ${failed} of ${asked} times: more than ${mostRepeats} repeats a step would be needed; find a case that fails more often, or accept less by --confidence.`,
			);
		}
		this.#repeats = repeats;
		this.#symptoms = isAnyFailure
			? undefined
			: new Set(trials.flatMap(({end, symptoms}) => (end === 'fail' ? symptoms : [])));
		return this.#conclude(name, {verdict: 'bad', trials, fingerprint});
	}

	/** Throws UsageError where that is no good end. */
	async proveGoodEnd(subject: Subject): Promise<Step> {
		const name = this.#name('good end', subject);
		const fingerprint = await this.#prepareEnd(name);
		const wanted = Math.max(firstMeasure, this.#repeats);
		const trials = await this.#askEndUntil(name, sofar => {
			const {passed, bad, other, skipped, asked: said} = tally(sofar, this.#symptoms);
			if (skipped > 0 && said === 0) return 0;
			// Whether it always fails or at times only is worth knowing; then it is over.
			return bad + other > 0 ? firstMeasure - bad - other - passed : wanted - passed;
		});
		mustApply(subject, 'good', trials);
		const {bad, other, passed, asked} = tally(trials, this.#symptoms);
		const why = trials.find(({end}) => end === 'fail')?.message ?? '';
		if (bad === asked) throw new UsageError(`${subject.title} was given as good, but it is bad, too: ${why}.`);
		if (bad > 0) {
			throw new UsageError(
				`${subject.title} was given as good, but it is flaky: it failed ${bad} of ${asked} times: ${why}.`,
			);
		}
		if (other > 0) {
			throw new UsageError(
				`${subject.title} was given as good, but it failed ${other} of ${passed + other} times, in another way than the bad end: ${why}.`,
			);
		}
		return this.#conclude(name, {verdict: 'good', trials, fingerprint});
	}

	async judge(role: Role, subject: Subject): Promise<Step> {
		const name = this.#name(role, subject);
		const known = this.#options.journal.step(name);
		if (known) return this.#remember(known);
		let fingerprint: string | undefined;
		try {
			fingerprint = await this.#prepare(name);
			const same = role === 'step' ? this.#byFingerprint.get(fingerprint) : undefined;
			if (same) return this.#conclude(name, {verdict: same.verdict, trials: [], fingerprint, sameAs: same.subject});
			const judged = await askForVerdict(this.#asking(name), {
				repeats: this.#repeats,
				symptomsOf: () => this.#symptoms,
			});
			return this.#conclude(name, {fingerprint, ...judged});
		} catch (error) {
			if (!(error instanceof SubjectError)) throw error;
			return this.#conclude(name, {verdict: 'skip', trials: [], fingerprint, reason: error.message});
		}
	}

	#name(role: Role, subject: Subject): StepName {
		return {stage: this.#options.stage, role, subject};
	}

	async #prepareEnd(name: StepName): Promise<string> {
		return asEnd(name, this.#prepare(name));
	}

	async #prepare(name: StepName): Promise<string> {
		const {laboratory, journal} = this.#options;
		const startedAt = performance.now();
		// What does not build has taken its time, too.
		let isReused = false;
		try {
			const prepared = await laboratory.prepare(name.subject);
			({isReused} = prepared);
			return prepared.fingerprint;
		} finally {
			journal.addPrepared(name, {ms: Math.round(performance.now() - startedAt), isReused});
		}
	}

	#asking(name: StepName): Asking {
		const {laboratory, journal} = this.#options;
		return {
			subject: name.subject,
			known: journal.trials(name),
			async ask(times) {
				const startedAt = performance.now();
				const trials = await laboratory.ask(name.subject, times);
				// What proved nothing would count against a host that is well again.
				const lasting = trials.filter(({end}) => end !== 'void');
				journal.addTrials(name, lasting, Math.round(performance.now() - startedAt));
				return trials;
			},
		};
	}

	#askEndUntil(name: StepName, wanted: (trials: readonly Trial[]) => number): Promise<readonly Trial[]> {
		return asEnd(name, askUntil(this.#asking(name), wanted));
	}

	#wantedOfBadEnd(trials: readonly Trial[]): number {
		const {bad: failed, asked, skipped} = tally(trials, undefined);
		if (skipped > 0 && asked === 0) return 0;
		if (asked < firstMeasure) return firstMeasure - asked;
		// It may be one that fails rarely, yet often enough to be found.
		if (failed < asked && asked < flakyMeasure) return flakyMeasure - asked;
		const isEnough = failed === 0 || repeatsFor({failed, asked}, this.#options.confidence) !== undefined;
		return isEnough || asked >= longestMeasure ? 0 : flakyMeasure;
	}

	#conclude(name: StepName, {verdict, trials, fingerprint, reason, sameAs}: Conclusion): Step {
		const {journal} = this.#options;
		const {bad, asked} = tally(trials, this.#symptoms);
		const prepared = journal.prepared(name);
		const console = trials.findLast(trial => trial.consolePath !== undefined)?.consolePath;
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
		return this.#remember(journal.step(name)!);
	}

	#remember(step: Step): Step {
		if (step.fingerprint !== undefined && step.verdict !== 'skip' && !this.#byFingerprint.has(step.fingerprint)) {
			this.#byFingerprint.set(step.fingerprint, step);
		}
		// The journal has one of each name; it counts once, however often it is wanted.
		if (!this.steps.includes(step)) this.steps.push(step);
		return step;
	}
}

type Conclusion = {
	readonly verdict: Verdict;
	readonly trials: readonly Trial[];
	readonly fingerprint: string | undefined;
	readonly reason?: string;
	readonly sameAs?: Subject;
};

/** An end that does not build or boot is no end. */
async function asEnd<T>({role, subject}: StepName, work: Promise<T>): Promise<T> {
	try {
		return await work;
	} catch (error) {
		if (!(error instanceof SubjectError)) throw error;
		throw new UsageError(`The ${role}, ${subject.title}, cannot be asked: ${error.message}`, {cause: error});
	}
}

function mustApply(subject: Subject, end: string, trials: readonly Trial[]): void {
	const {asked, skipped} = tally(trials, undefined);
	if (asked > 0 || skipped === 0) return;
	const why = trials.find(({end: how}) => how === 'skip')?.message;
	throw new UsageError(`${subject.title}, the ${end} end, does not apply: the case is skipped there: ${why}`);
}

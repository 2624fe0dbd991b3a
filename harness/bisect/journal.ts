import {closeSync, existsSync, fsyncSync, openSync, readFileSync, truncateSync, writeSync} from 'node:fs';
import type {Subject, Verdict} from './subject.ts';
import type {Trial} from './trial.ts';

export type Role = 'bad end' | 'good end' | 'step' | 'parent' | 'commit' | 'revert';

/** A subject and why it is judged; the same one may be judged again at the end. */
export type StepName = {readonly stage: string; readonly role: Role; readonly subject: Subject};

export type Step = StepName & {
	readonly type: 'step';
	readonly verdict: Verdict;
	/** It failed as the bad end does so many times of so many. */
	readonly failed: number;
	readonly asked: number;
	readonly reason?: string;
	readonly fingerprint?: string;
	/** Nothing had to be built or fetched. */
	readonly isReused?: boolean;
	/** Judged before: its image is the same to the byte. */
	readonly sameAs?: Subject;
	readonly prepareMs: number;
	readonly ms: number;
	readonly console?: string;
};

type Trials = {readonly type: 'trials'; readonly key: string; readonly trials: readonly Trial[]; readonly ms: number};
type Built = {readonly type: 'prepared'; readonly key: string; readonly ms: number; readonly isReused: boolean};
type Line = Step | Trials | Built;

function keyOf({stage, role, subject}: StepName): string {
	return `${stage}, ${role}: ${subject.id}`;
}

/**
 * What a bisect has learnt, one JSON line each, on the disk before it goes on: whatever ends it, the next one with the
 * same journal does nothing twice. A line that was cut off is as good as never written.
 */
export class Journal implements Disposable {
	readonly #descriptor: number;
	readonly #steps = new Map<string, Step>();
	readonly #trials = new Map<string, Trial[]>();
	readonly #asking = new Map<string, number>();
	readonly #prepared = new Map<string, Built>();

	constructor(file: string) {
		if (existsSync(file)) {
			const text = readFileSync(file, 'utf8');
			const whole = text.slice(0, text.lastIndexOf('\n') + 1);
			for (const line of whole.split('\n').filter(Boolean)) this.#add(JSON.parse(line) as Line);
			truncateSync(file, Buffer.byteLength(whole));
		}
		this.#descriptor = openSync(file, 'a');
	}

	/** How much is known from before. */
	get size(): number {
		return this.#steps.size;
	}

	step(name: StepName): Step | undefined {
		return this.#steps.get(keyOf(name));
	}

	trials(name: StepName): readonly Trial[] {
		return this.#trials.get(keyOf(name)) ?? [];
	}

	/** What asking it has taken so far. */
	askedMs(name: StepName): number {
		return this.#asking.get(keyOf(name)) ?? 0;
	}

	prepared(name: StepName): {readonly ms: number; readonly isReused: boolean} | undefined {
		return this.#prepared.get(keyOf(name));
	}

	addStep(step: Step): void {
		this.#write(step);
	}

	addTrials(name: StepName, trials: readonly Trial[], ms: number): void {
		this.#write({type: 'trials', key: keyOf(name), trials, ms});
	}

	addPrepared(name: StepName, built: {readonly ms: number; readonly isReused: boolean}): void {
		this.#write({type: 'prepared', key: keyOf(name), ...built});
	}

	[Symbol.dispose](): void {
		closeSync(this.#descriptor);
	}

	#write(line: Line): void {
		const bytes = Buffer.from(`${JSON.stringify(line)}\n`);
		for (let written = 0; written < bytes.length; ) written += writeSync(this.#descriptor, bytes, written);
		fsyncSync(this.#descriptor);
		this.#add(line);
	}

	#add(line: Line): void {
		if (line.type === 'step') this.#steps.set(keyOf(line), line);
		else if (line.type === 'trials') {
			this.#trials.set(line.key, [...(this.#trials.get(line.key) ?? []), ...line.trials]);
			this.#asking.set(line.key, (this.#asking.get(line.key) ?? 0) + line.ms);
		} else this.#prepared.set(line.key, this.#prepared.get(line.key) ?? line);
	}
}

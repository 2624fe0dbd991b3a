import {closeSync, existsSync, fsyncSync, openSync, readFileSync, truncateSync, writeSync} from 'node:fs';
import type {Attempt} from './attempt.ts';
import type {Answer, Candidate} from './candidate.ts';

export type Role = 'bad end' | 'good end' | 'step' | 'parent' | 'commit' | 'revert';

/** A candidate and why it is judged; the same one may be judged again at the end. */
export type StepName = {readonly stage: string; readonly role: Role; readonly candidate: Candidate};

export type Step = StepName & {
	readonly type: 'step';
	readonly verdict: Answer;
	/** It failed as the bad end does so many times of so many. */
	readonly failed: number;
	readonly asked: number;
	readonly reason?: string;
	readonly fingerprint?: string;
	/** Nothing had to be built or fetched. */
	readonly isReused?: boolean;
	/** Judged before: its image is the same to the byte. */
	readonly sameAs?: Candidate;
	readonly prepareMs: number;
	readonly ms: number;
	readonly console?: string;
};

type Attempts = {
	readonly type: 'attempts';
	readonly key: string;
	readonly attempts: readonly Attempt[];
	readonly ms: number;
};
type Built = {readonly type: 'prepared'; readonly key: string; readonly ms: number; readonly isReused: boolean};
type Line = Step | Attempts | Built;

function keyOf({stage, role, candidate}: StepName): string {
	return `${stage}, ${role}: ${candidate.id}`;
}

/**
 * What a bisect has learnt, one JSON line each, on the disk before it goes on: whatever ends it, the next one with the
 * same journal does nothing twice. A line that was cut off is as good as never written.
 */
export class Journal implements Disposable {
	readonly #descriptor: number;
	readonly #steps = new Map<string, Step>();
	readonly #attempts = new Map<string, Attempt[]>();
	readonly #sampling = new Map<string, number>();
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

	attempts(name: StepName): readonly Attempt[] {
		return this.#attempts.get(keyOf(name)) ?? [];
	}

	/** What sampling it has taken so far. */
	askedMs(name: StepName): number {
		return this.#sampling.get(keyOf(name)) ?? 0;
	}

	prepared(name: StepName): {readonly ms: number; readonly isReused: boolean} | undefined {
		return this.#prepared.get(keyOf(name));
	}

	addStep(step: Step): void {
		this.#write(step);
	}

	addTrials(name: StepName, attempts: readonly Attempt[], ms: number): void {
		this.#write({type: 'attempts', key: keyOf(name), attempts, ms});
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
		else if (line.type === 'attempts') {
			this.#attempts.set(line.key, [...(this.#attempts.get(line.key) ?? []), ...line.attempts]);
			this.#sampling.set(line.key, (this.#sampling.get(line.key) ?? 0) + line.ms);
		} else this.#prepared.set(line.key, this.#prepared.get(line.key) ?? line);
	}
}

import {closeSync, existsSync, fsyncSync, openSync, readFileSync, truncateSync, writeSync} from 'node:fs';
import type {Attempt} from './attempt.ts';
import type {Answer, Candidate} from './candidate.ts';

export type Role = 'bad end' | 'good end' | 'step' | 'parent' | 'commit' | 'revert';

/** A candidate and the role in which it is judged; the final checks judge the same candidate again in another role. */
export type StepName = {readonly stage: string; readonly role: Role; readonly candidate: Candidate};

export type Step = StepName & {
	readonly type: 'step';
	readonly verdict: Answer;
	/** Of `asked` attempts, this many failed with a symptom of the bad end. */
	readonly failed: number;
	readonly asked: number;
	readonly reason?: string;
	readonly fingerprint?: string;
	/** Nothing had to be built or fetched. */
	readonly isReused?: boolean;
	/** The earlier candidate with the same fingerprint, whose verdict this step takes. */
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

export function keyOf({stage, role, candidate}: StepName): string {
	return `${stage}, ${role}: ${candidate.id}`;
}

/**
 * Everything that a bisect has learnt, as JSON lines. Each line is on disk before the bisect goes on, so a bisect that
 * is killed and started again with the same journal repeats nothing. A truncated last line is ignored. Without a file, it
 * only remembers.
 */
export class Journal implements Disposable {
	readonly #descriptor: number | undefined;
	readonly #steps = new Map<string, Step>();
	readonly #attempts = new Map<string, Attempt[]>();
	readonly #sampling = new Map<string, number>();
	readonly #prepared = new Map<string, Built>();

	constructor(file?: string) {
		if (file === undefined) return;
		if (existsSync(file)) {
			const text = readFileSync(file, 'utf8');
			const whole = text.slice(0, text.lastIndexOf('\n') + 1);
			for (const line of whole.split('\n').filter(Boolean)) this.#add(JSON.parse(line) as Line);
			truncateSync(file, Buffer.byteLength(whole));
		}
		this.#descriptor = openSync(file, 'a');
	}

	/** Number of known steps. */
	get size(): number {
		return this.#steps.size;
	}

	step(name: StepName): Step | undefined {
		return this.#steps.get(keyOf(name));
	}

	attempts(name: StepName): readonly Attempt[] {
		return this.#attempts.get(keyOf(name)) ?? [];
	}

	/** Time that attempts have taken so far, in ms. */
	askedMs(name: StepName): number {
		return this.#sampling.get(keyOf(name)) ?? 0;
	}

	prepared(name: StepName): {readonly ms: number; readonly isReused: boolean} | undefined {
		return this.#prepared.get(keyOf(name));
	}

	addStep(step: Step): void {
		this.#write(step);
	}

	addAttempts(name: StepName, attempts: readonly Attempt[], ms: number): void {
		this.#write({type: 'attempts', key: keyOf(name), attempts, ms});
	}

	addPrepared(name: StepName, built: {readonly ms: number; readonly isReused: boolean}): void {
		this.#write({type: 'prepared', key: keyOf(name), ...built});
	}

	[Symbol.dispose](): void {
		if (this.#descriptor !== undefined) closeSync(this.#descriptor);
	}

	#write(line: Line): void {
		this.#add(line);
		if (this.#descriptor === undefined) return;
		const bytes = Buffer.from(`${JSON.stringify(line)}\n`);
		for (let written = 0; written < bytes.length; ) written += writeSync(this.#descriptor, bytes, written);
		fsyncSync(this.#descriptor);
	}

	#add(line: Line): void {
		if (line.type === 'step') this.#steps.set(keyOf(line), line);
		else if (line.type === 'attempts') {
			this.#attempts.set(line.key, [...(this.#attempts.get(line.key) ?? []), ...line.attempts]);
			this.#sampling.set(line.key, (this.#sampling.get(line.key) ?? 0) + line.ms);
		} else this.#prepared.set(line.key, this.#prepared.get(line.key) ?? line);
	}
}

// SPDX-License-Identifier: GPL-2.0
import {closeSync, existsSync, fsyncSync, openSync, readFileSync, truncateSync, writeSync} from 'node:fs';
import {say} from '../../host/say.ts';
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
	/** What was asked of its configuration in vain, as `CONFIG_A=y (it is n)`. */
	readonly lost?: readonly string[];
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
type Preparation = {readonly ms: number; readonly isReused: boolean; readonly lost?: readonly string[]};
type Built = Preparation & {readonly type: 'prepared'; readonly key: string};
type Line = Step | Attempts | Built;

/** Undefined for what no journal wrote. */
function parseLine(text: string): Line | undefined {
	try {
		// Only `Journal` writes these lines; what is checked is what a torn file can get wrong.
		const line = JSON.parse(text) as Line;
		if (line.type === 'prepared') return typeof line.key === 'string' ? line : undefined;
		if (line.type === 'attempts') return line.attempts.every(({end}) => ends.has(end)) ? line : undefined;
		return line.type === 'step' && answers.has(line.verdict) && typeof line.candidate.id === 'string'
			? line
			: undefined;
	} catch {
		return undefined;
	}
}

const answers: ReadonlySet<unknown> = new Set<Answer>(['good', 'bad', 'skip']);
const ends: ReadonlySet<unknown> = new Set<Attempt['end']>(['pass', 'fail', 'skip', 'void']);

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
			const lines = readFileSync(file, 'utf8').split('\n').slice(0, -1);
			const parsed = lines.map(parseLine);
			// What follows a damaged line was learnt with it.
			const damaged = parsed.indexOf(undefined);
			if (damaged >= 0) say(`${file} is damaged; the bisect resumes before its line ${damaged + 1}.`);
			const kept = damaged < 0 ? lines.length : damaged;
			for (const line of parsed.slice(0, kept)) this.#add(line!);
			truncateSync(file, Buffer.byteLength(lines.slice(0, kept).join('\n')) + Math.min(kept, 1));
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

	prepared(name: StepName): Preparation | undefined {
		return this.#prepared.get(keyOf(name));
	}

	addStep(step: Step): void {
		this.#write(step);
	}

	addAttempts(name: StepName, attempts: readonly Attempt[], ms: number): void {
		this.#write({type: 'attempts', key: keyOf(name), attempts, ms});
	}

	addPrepared(name: StepName, built: Preparation): void {
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

// SPDX-License-Identifier: GPL-2.0
import type {Attempt} from './attempt.ts';
import type {Candidate} from './candidate.ts';
import {type Symptoms, tally} from './decide.ts';
import {firstMeasure, type Rate} from './repeats.ts';

/** Attempts by image: candidates with the same fingerprint share what is known of them. */
export class Evidence {
	readonly #images = new Map<string, {owner: Candidate; readonly parts: Map<string, readonly Attempt[]>}>();
	/** Fingerprints of bad candidates; the last is nearest to the first bad one. */
	readonly #bad = new Set<string>();

	/** Replaces what the step `key` has contributed. Void attempts tell nothing and are left out. */
	learn(
		fingerprint: string,
		{key, candidate, attempts}: {key: string; candidate: Candidate; attempts: readonly Attempt[]},
	): void {
		const image = this.#images.get(fingerprint) ?? {owner: candidate, parts: new Map()};
		this.#images.set(fingerprint, image);
		image.parts.set(
			key,
			attempts.filter(({end}) => end !== 'void'),
		);
	}

	/** All attempts on an image, or those of steps other than `except`. */
	of(fingerprint: string | undefined, {except}: {except?: string} = {}): readonly Attempt[] {
		const parts = this.#images.get(fingerprint ?? '')?.parts ?? new Map<string, readonly Attempt[]>();
		return [...parts].flatMap(([key, attempts]) => (key === except ? [] : attempts));
	}

	/** The candidate that had this image first. */
	ownerOf(fingerprint: string): Candidate | undefined {
		return this.#images.get(fingerprint)?.owner;
	}

	/** A bad candidate, nearer to the first bad one than those before. */
	addBad(fingerprint: string): void {
		this.#bad.delete(fingerprint);
		this.#bad.add(fingerprint);
	}

	/** The failure rate of the bad candidates that are nearest to the first bad one: of as few as give a measure. */
	nearestRate(symptoms: Symptoms): Rate {
		let [failed, asked] = [0, 0];
		for (const fingerprint of [...this.#bad].toReversed()) {
			const its = tally(this.of(fingerprint), symptoms);
			failed += its.bad;
			asked += its.asked;
			if (asked >= firstMeasure) break;
		}
		return {failed, asked};
	}
}

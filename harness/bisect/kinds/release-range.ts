// SPDX-License-Identifier: GPL-2.0
import type {Answer, Candidate, Range} from '../engine/candidate.ts';

export type Release = Candidate & {
	/** Cost of obtaining it: nothing from the cache, minutes for a build. */
	readonly cost: 'cached' | 'fetched' | 'built';
};

const costs = ['cached', 'fetched', 'built'] as const;

/** Releases from oldest to newest, halved through the cheapest ones first. */
export class ReleaseRange implements Range {
	readonly #releases: readonly Release[];
	readonly #skipped = new Set<string>();
	/** Index of the newest known good release, and of the oldest known bad one. */
	#good = 0;
	#bad: number;

	/** The first is the good end, the last the bad end. */
	constructor(releases: readonly Release[]) {
		this.#releases = releases;
		this.#bad = releases.length - 1;
	}

	get good(): Release {
		return this.#releases[0]!;
	}

	get bad(): Release {
		return this.#releases.at(-1)!;
	}

	/** The newest known good release. */
	get lastGood(): Release {
		return this.#releases[this.#good]!;
	}

	async next(): Promise<Release | undefined> {
		const open = this.#open();
		const cheapest = costs.find(cost => open.some(release => release.cost === cost));
		const middle = (this.#good + this.#bad) / 2;
		const distance = (release: Release) => Math.abs(this.#releases.indexOf(release) - middle);
		return open.filter(({cost}) => cost === cheapest).toSorted((a, b) => distance(a) - distance(b))[0];
	}

	async mark(candidate: Candidate, verdict: Answer): Promise<void> {
		const index = this.#releases.findIndex(({id}) => id === candidate.id);
		if (verdict === 'good') this.#good = Math.max(this.#good, index);
		else if (verdict === 'bad') this.#bad = Math.min(this.#bad, index);
		else this.#skipped.add(candidate.id);
	}

	left(): {candidates: number; steps: number} {
		const candidates = this.#open().length;
		return {candidates, steps: Math.ceil(Math.log2(candidates + 1))};
	}

	async suspects(): Promise<readonly Release[]> {
		return this.#releases.slice(this.#good + 1, this.#bad + 1);
	}

	async parents(): Promise<readonly Release[]> {
		return [this.lastGood];
	}

	async searchBefore({id}: Candidate): Promise<void> {
		this.#good = 0;
		this.#bad = this.#releases.findIndex(release => release.id === id);
	}

	async searchAfter({id}: Candidate): Promise<void> {
		this.#good = this.#releases.findIndex(release => release.id === id);
		this.#bad = this.#releases.length - 1;
	}

	#open(): readonly Release[] {
		return this.#releases.slice(this.#good + 1, this.#bad).filter(({id}) => !this.#skipped.has(id));
	}
}

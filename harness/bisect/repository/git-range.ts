// SPDX-License-Identifier: GPL-2.0
import type {Answer, Candidate, Range} from '../engine/candidate.ts';
import type {Checkout} from './checkout.ts';
import {git, tryGit} from './git.ts';
import type {Ends} from './source-repository.ts';

/**
 * The commits between two, halved by `git bisect` in a checkout. Each start begins with a fresh `git bisect`: the
 * journal counts, not the state that a killed process left.
 */
export class GitRange implements Range {
	readonly #checkout: Checkout;
	readonly good: Candidate;
	readonly bad: Candidate;
	#left: {candidates: number; steps: number};
	#suspects: readonly string[] | undefined;

	/** With `paths`, only commits that touch these. */
	static async start(
		checkout: Checkout,
		{good, bad, commits}: Ends,
		{paths = []}: {paths?: readonly string[]} = {},
	): Promise<GitRange> {
		const {directory} = checkout;
		await tryGit(directory, ['bisect', 'reset', bad.id]);
		const range = new GitRange(checkout, {good, bad, commits});
		// Letting git check commits out would touch files back and forth, and make would compile them again.
		const args = ['bisect', 'start', '--no-checkout', bad.id, good.id, '--', ...paths];
		range.#read(await git(directory, args));
		return range;
	}

	private constructor(checkout: Checkout, {good, bad, commits}: Ends) {
		this.#checkout = checkout;
		this.good = good;
		this.bad = bad;
		this.#left = {candidates: commits - 1, steps: Math.ceil(Math.log2(commits))};
	}

	async next(): Promise<Candidate | undefined> {
		if (this.#suspects) return undefined;
		return this.#checkout.candidate(await git(this.#checkout.directory, ['rev-parse', '--verify', 'BISECT_HEAD']));
	}

	async mark(candidate: Candidate, verdict: Answer): Promise<void> {
		// git bisect exits with 2 when only skipped commits are left.
		const {stdout, stderr, isOk} = await tryGit(this.#checkout.directory, ['bisect', verdict, candidate.id]);
		if (!isOk && !/only 'skip'ped commits left/.test(stdout)) throw new Error(`git bisect ${verdict}: ${stderr}`);
		this.#read(stdout);
	}

	left(): {candidates: number; steps: number} {
		return this.#left;
	}

	async suspects(): Promise<readonly Candidate[]> {
		return Promise.all((this.#suspects ?? []).map(commit => this.#checkout.candidate(commit)));
	}

	#read(words: string): void {
		const progress = /^Bisecting: (\d+) revisions? left to test after this \(roughly (\d+) steps?\)/m.exec(words);
		if (progress) this.#left = {candidates: Number(progress[1]) + 1, steps: Number(progress[2]) + 1};
		const found = /^([\da-f]{40,64}) is the first bad commit/m.exec(words);
		if (found) this.#suspects = [found[1]!];
		else if (/only 'skip'ped commits left/.test(words)) {
			this.#suspects = words.match(/^[\da-f]{40,64}$/gm) ?? [];
		}
		if (this.#suspects) this.#left = {candidates: 0, steps: 0};
	}
}

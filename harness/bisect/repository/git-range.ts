import type {Answer, Candidate, Range} from '../engine/candidate.ts';
import type {Checkout} from './checkout.ts';
import {git, tryGit} from './git.ts';
import type {Ends} from './source-repository.ts';

/**
 * The commits between two, halved by `git bisect` in a checkout of ours. What it knows is told to it anew at each start:
 * the journal is what counts, not the state that a killed process has left.
 */
export class GitRange implements Range {
	readonly #checkout: Checkout;
	readonly good: Candidate;
	readonly bad: Candidate;
	#left: {candidates: number; steps: number};
	#suspects: readonly string[] | undefined;

	/** With `paths`, only the commits that touch these. */
	static async start(
		checkout: Checkout,
		{good, bad, commits}: Ends,
		{paths = []}: {paths?: readonly string[]} = {},
	): Promise<GitRange> {
		const {directory} = checkout;
		await tryGit(directory, ['bisect', 'reset', bad.id]);
		const range = new GitRange(checkout, {good, bad, commits});
		// Nothing is checked out by git itself: files that go back and forth would be compiled again.
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
		// It ends with 2 where only skipped ones are left.
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

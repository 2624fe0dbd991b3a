// SPDX-License-Identifier: GPL-2.0
import {UsageError} from '../../host/errors.ts';
import {type Answer, type Candidate, HostFaultError, type Range} from '../engine/candidate.ts';
import type {Checkout} from './checkout.ts';
import {type GitResult, git, tryGit} from './git.ts';
import type {Ends} from './source-repository.ts';

/**
 * The commits between two, halved by `git bisect` in a checkout. Each start begins with a fresh `git bisect`: the
 * journal counts, not the state that a killed process left.
 */
export class GitRange implements Range {
	readonly #checkout: Checkout;
	readonly #paths: readonly string[];
	readonly good: Candidate;
	readonly bad: Candidate;
	readonly #judged = new Set<string>();
	#left = {candidates: 0, steps: 0};
	#suspects: readonly string[] | undefined;
	/** The last `git bisect` and what it said. */
	#source = '';

	/** Only commits that touch `paths`, which are those of the repository's tree. Throws HostFaultError when git does not begin. */
	static async start(
		checkout: Checkout,
		{good, bad}: Ends,
		{paths = []}: {paths?: readonly string[]} = {},
	): Promise<GitRange> {
		const range = new GitRange(checkout, {good, bad, paths});
		await range.#start(good, bad);
		return range;
	}

	private constructor(
		checkout: Checkout,
		{good, bad, paths}: {good: Candidate; bad: Candidate; paths: readonly string[]},
	) {
		this.#checkout = checkout;
		this.#paths = paths;
		this.good = good;
		this.bad = bad;
	}

	async next(): Promise<Candidate | undefined> {
		if (this.#suspects) return undefined;
		const head = await tryGit(this.#checkout.directory, ['rev-parse', '--verify', 'BISECT_HEAD']);
		if (!head.isOk) throw new HostFaultError(`git bisect proposes no commit. ${this.#source}`);
		return this.#checkout.candidate(head.stdout.trim());
	}

	async mark(candidate: Candidate, verdict: Answer): Promise<void> {
		await this.#bisect([verdict, candidate.id]);
		this.#judged.add(candidate.id);
		await this.#count();
	}

	left(): {candidates: number; steps: number} {
		return this.#left;
	}

	source(): string {
		return this.#source;
	}

	async suspects(): Promise<readonly Candidate[]> {
		return Promise.all((this.#suspects ?? []).map(commit => this.#checkout.candidate(commit)));
	}

	/** The parents of a single suspect. Between several, commits were skipped, and no result is claimed. */
	async parents(): Promise<readonly Candidate[]> {
		const [suspect, ...others] = this.#suspects ?? [];
		if (suspect === undefined || others.length > 0) return [];
		const parents = await git(this.#checkout.directory, ['rev-parse', `${suspect}^@`]);
		return Promise.all(parents.split('\n').map(commit => this.#checkout.candidate(commit)));
	}

	/** Throws UsageError for a commit of a branch that began before the good end. */
	async searchBefore(bad: Candidate): Promise<void> {
		const {good} = this;
		const args = ['merge-base', '--is-ancestor', good.id, bad.id];
		if (!(await tryGit(this.#checkout.directory, args)).isOk) {
			throw new UsageError(
				`${bad.title} is bad, on a branch that began before ${good.title}; give an older commit as good.`,
			);
		}
		await this.#start(good, bad);
	}

	async searchAfter(good: Candidate): Promise<void> {
		await this.#start(good, this.bad);
	}

	async #start(good: Candidate, bad: Candidate): Promise<void> {
		const {directory} = this.#checkout;
		// `git bisect` wants a HEAD; one on a branch without commits was cloned from the user's repository.
		const isBorn = (await tryGit(directory, ['rev-parse', '--verify', '--quiet', 'HEAD'])).isOk;
		if (!isBorn) await git(directory, ['update-ref', '--no-deref', 'HEAD', bad.id]);
		await tryGit(directory, ['bisect', 'reset', bad.id]);
		this.#judged.clear();
		for (const {id} of [good, bad]) this.#judged.add(id);
		// Letting git check commits out would touch files back and forth, and make would compile them again.
		await this.#bisect(['start', '--no-checkout', bad.id, good.id, '--', ...this.#paths]);
		await this.#count();
	}

	/** Runs `git bisect`. Throws HostFaultError when git does not do as asked. */
	async #bisect(args: readonly string[]): Promise<void> {
		const result = await tryGit(this.#checkout.directory, ['bisect', ...args]);
		this.#source = sourceOf(args, result);
		this.#suspects = suspectsIn(result.stdout);
		// git bisect exits with 2 when only skipped commits are left.
		if (!result.isOk && !this.#suspects) throw new HostFaultError(this.#source);
	}

	/** Counts by git's refs, not by its words, which count commits that were skipped. */
	async #count(): Promise<void> {
		if (this.#suspects) {
			this.#left = {candidates: 0, steps: 0};
			return;
		}
		const marks = ['refs/bisect/bad', '--not', '--glob=refs/bisect/good-*', '--', ...this.#paths];
		const commits = (await git(this.#checkout.directory, ['rev-list', ...marks])).split('\n');
		const candidates = commits.filter(commit => commit !== '' && !this.#judged.has(commit)).length;
		this.#left = {candidates, steps: Math.ceil(Math.log2(candidates + 1))};
	}
}

function suspectsIn(words: string): readonly string[] | undefined {
	// Newer versions of git put the term in quotation marks.
	const found = /^([\da-f]{40,64}) is the first '?bad'? commit/m.exec(words);
	if (found) return [found[1]!];
	if (/only 'skip'ped commits left/.test(words)) return words.match(/^[\da-f]{40,64}$/gm) ?? [];
	return undefined;
}

function sourceOf([command, ...rest]: readonly string[], {how, stdout, stderr}: GitResult): string {
	const words = [stderr, stdout].join('\n').trim().split('\n').filter(Boolean).slice(0, 3).join(' ');
	const what = ['git bisect', command, ...rest.filter(arg => /^[\da-f]{40,64}$/.test(arg)).map(id => id.slice(0, 12))];
	return `\`${what.join(' ')}\` ${how} and said ${words === '' ? 'nothing' : JSON.stringify(words)}.`;
}

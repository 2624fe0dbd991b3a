// SPDX-License-Identifier: GPL-2.0
import {UsageError} from '../../host/errors.ts';
import type {Candidate} from '../engine/candidate.ts';
import {git, tryGit} from './git.ts';

export type Ends = {readonly good: Candidate; readonly bad: Candidate; readonly commits: number};

/** The user's repository; never written to. */
export class SourceRepository {
	readonly directory: string;
	/** What is bisected, relative to `directory`; empty for all of it. */
	readonly paths: readonly string[];

	/** Like open, for a tree that may be below the top of its repository; only commits that touch it count. */
	static async openTree(tree: string): Promise<SourceRepository> {
		const {isOk, stdout} = await tryGit(tree, ['rev-parse', '--show-prefix']);
		const prefix = isOk ? stdout.trim().replace(/\/$/, '') : '';
		return SourceRepository.open(tree, {paths: prefix === '' ? [] : [prefix]});
	}

	/**
	 * Throws UsageError for a directory that is not a repository, for a shallow or partial clone, and for uncommitted
	 * changes, which a bisect would not see. With `paths`, only changes below these count.
	 */
	static async open(directory: string, {paths = []}: {paths?: readonly string[]} = {}): Promise<SourceRepository> {
		const {isOk, stdout} = await tryGit(directory, ['rev-parse', '--show-toplevel']);
		if (!isOk) throw new UsageError(`${directory} is not a git repository.`);
		const top = stdout.trim();
		if ((await git(top, ['rev-parse', '--is-shallow-repository'])) === 'true') {
			throw new UsageError(
				`${directory} is a shallow clone, which lacks history; run \`git fetch --unshallow\` in it.`,
			);
		}
		if ((await tryGit(top, ['config', '--get-regexp', String.raw`^remote\..*\.promisor$`])).isOk) {
			throw new UsageError(`${directory} is a partial clone, which lacks files of older commits; make a full clone.`);
		}
		const status = await git(top, ['status', '--porcelain', '--untracked-files=no', '--', ...paths]);
		if (status !== '') {
			const [first, ...more] = status.split('\n').map(line => line.slice(2).trim());
			const others = more.length > 0 ? ` and ${more.length} more` : '';
			throw new UsageError(`${directory} has uncommitted changes (${first}${others}); commit or stash them.`);
		}
		return new SourceRepository(top, paths);
	}

	private constructor(directory: string, paths: readonly string[]) {
		this.directory = directory;
		this.paths = paths;
	}

	/** Resolves a revision. Throws UsageError when it does not exist. */
	async commit(revision: string): Promise<Candidate> {
		const id = await this.#resolve(revision);
		if (id === undefined)
			throw new UsageError(`There is no revision ${JSON.stringify(revision)} in ${this.directory}.`);
		return candidateOf(this.directory, id);
	}

	async has(revision: string): Promise<boolean> {
		return (await this.#resolve(revision)) !== undefined;
	}

	/** Whether `from` equals `to` or is an ancestor of it. */
	async leadsTo(from: string, to: string): Promise<boolean> {
		return (await tryGit(this.directory, ['merge-base', '--is-ancestor', from, to])).isOk;
	}

	/** Throws UsageError unless `good` is an ancestor of `bad` and commits between them touch `paths`. */
	async ends(good: string, bad: string, {paths = this.paths}: {paths?: readonly string[]} = {}): Promise<Ends> {
		const [from, to] = [await this.commit(good), await this.commit(bad)];
		if (from.id === to.id) throw new UsageError(`${good} and ${bad} are the same commit, ${from.title}.`);
		if (!(await this.leadsTo(from.id, to.id))) {
			throw new UsageError(`${good} (${from.title}) is not an ancestor of ${bad} (${to.title}).`);
		}
		const count = await git(this.directory, ['rev-list', '--count', `${from.id}..${to.id}`, '--', ...paths]);
		if (count === '0') {
			throw new UsageError(`No commit between ${good} and ${bad} touches ${paths.join(', ')}.`);
		}
		return {good: from, bad: to, commits: Number(count)};
	}

	async #resolve(revision: string): Promise<string | undefined> {
		const args = ['rev-parse', '--verify', '--quiet', '--end-of-options', `${revision}^{commit}`];
		const {isOk, stdout} = await tryGit(this.directory, args);
		return isOk ? stdout.trim() : undefined;
	}
}

/** A commit with its subject line as title. */
export async function candidateOf(directory: string, commit: string): Promise<Candidate> {
	const line = await git(directory, ['log', '-1', '--format=%s', commit]);
	return {id: commit, title: `${commit.slice(0, 12)} (${line.length > 72 ? `${line.slice(0, 71)}…` : line})`};
}

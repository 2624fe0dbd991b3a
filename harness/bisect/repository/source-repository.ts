// SPDX-License-Identifier: GPL-2.0
import {existsSync} from 'node:fs';
import path from 'node:path';
import {UsageError} from '../../host/errors.ts';
import type {Candidate} from '../engine/candidate.ts';
import {failed, git, tryGit} from './git.ts';

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
		const found = await tryGit(directory, ['rev-parse', '--show-toplevel']);
		if (!found.isOk) {
			const isNone = /not a git repository|cannot change to/.test(found.stderr);
			// There may be one, but of another owner, bare or damaged.
			throw isNone ? new UsageError(`${directory} is not a git repository.`) : failed(directory, 'rev-parse', found);
		}
		const top = found.stdout.trim();
		// A program around git may print more.
		if (!existsSync(top))
			throw new UsageError(`git rev-parse names no directory: it said ${JSON.stringify(top.slice(0, 200))}.`);
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

	/** Throws UsageError unless a commit has what is bisected: the directory may be younger, or was elsewhere. */
	async requireTree({id, title}: Candidate): Promise<void> {
		const [prefix = ''] = this.paths;
		const {isOk} = await tryGit(this.directory, ['cat-file', '-e', `${id}:${path.posix.join(prefix, 'Makefile')}`]);
		if (isOk) return;
		throw new UsageError(`${title} has no Linux tree at ${prefix || 'its top'}; give a commit that has it there.`);
	}

	/** Whether `from` equals `to` or is an ancestor of it. Throws UsageError when history is missing. */
	async leadsTo(from: string, to: string): Promise<boolean> {
		const result = await tryGit(this.directory, ['merge-base', '--is-ancestor', from, to]);
		// Where an object is missing, git ends with 1, too.
		if (!result.isOk && (result.exitCode !== 1 || /^(?:fatal|error):/m.test(result.stderr)))
			throw failed(this.directory, 'merge-base', result);
		return result.isOk;
	}

	/** Throws UsageError unless `good` is an ancestor of `bad` and commits between them touch `paths`. */
	async ends(good: string, bad: string, {paths = this.paths}: {paths?: readonly string[]} = {}): Promise<Ends> {
		const [from, to] = [await this.commit(good), await this.commit(bad)];
		if (from.id === to.id) throw new UsageError(`${good} and ${bad} are the same commit, ${from.title}.`);
		if (!(await this.leadsTo(from.id, to.id))) {
			const isPatched = await this.#hasReplacements();
			throw new UsageError(
				`${good} (${from.title}) is not an ancestor of ${bad} (${to.title})${isPatched ? ', without its replace refs and grafts, which do not count' : ''}.`,
			);
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
		if (!isOk) return undefined;
		const id = stdout.trim();
		if (!/^[\da-f]{40,64}$/.test(id))
			throw new UsageError(`git rev-parse names no commit: it said ${JSON.stringify(id.slice(0, 200))}.`);
		return id;
	}

	/** Whether the history that git shows by default is not the one that the commits tell. */
	async #hasReplacements(): Promise<boolean> {
		const replaced = await git(this.directory, ['for-each-ref', '--count=1', 'refs/replace/']);
		const common = await git(this.directory, ['rev-parse', '--git-common-dir']);
		return replaced !== '' || existsSync(path.resolve(this.directory, common, 'info/grafts'));
	}
}

/** A commit with its subject line as title. */
export async function candidateOf(directory: string, commit: string): Promise<Candidate> {
	const subject = await git(directory, ['log', '-1', '--format=%s', commit]);
	// It goes to terminals as it is.
	const line = subject.replaceAll(/\p{Cc}/gu, '?');
	return {id: commit, title: `${commit.slice(0, 12)} (${line.length > 72 ? `${line.slice(0, 71)}…` : line})`};
}

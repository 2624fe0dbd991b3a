// SPDX-License-Identifier: GPL-2.0
import {existsSync} from 'node:fs';
import {glob, rename, rm} from 'node:fs/promises';
import path from 'node:path';
import type {Candidate} from '../engine/candidate.ts';
import {failed, git, tryGit} from './git.ts';
import type {SourceRepository} from './source-repository.ts';
import {candidateOf} from './source-repository.ts';

/** A fixed identity and date, so that reverting a commit gives the same hash every time. */
const ourselves = {
	GIT_AUTHOR_NAME: 'probe-matrix',
	GIT_AUTHOR_EMAIL: 'probe-matrix@localhost',
	GIT_AUTHOR_DATE: '@0 +0000',
	GIT_COMMITTER_NAME: 'probe-matrix',
	GIT_COMMITTER_EMAIL: 'probe-matrix@localhost',
	GIT_COMMITTER_DATE: '@0 +0000',
};

/**
 * A work tree with the commits of the user's repository. It borrows that repository's objects, so creating it is quick,
 * and it writes nothing there: no branch, no worktree entry, no bisect state.
 */
export class Checkout {
	readonly directory: string;
	/** What is bisected; below `directory` if it is not all of the repository. */
	readonly source: string;

	static async open(repository: SourceRepository, directory: string): Promise<Checkout> {
		if (existsSync(directory) && !(await isUsable(directory))) await rm(directory, {recursive: true});
		if (!existsSync(directory)) {
			const unfinished = `${directory}.tmp`;
			await rm(unfinished, {recursive: true, force: true});
			const args = [
				'clone',
				'--quiet',
				'--shared',
				'--no-checkout',
				'--no-tags',
				'--',
				repository.directory,
				unfinished,
			];
			await git(path.dirname(directory), args);
			await rename(unfinished, directory);
		}
		// A killed git leaves its locks behind; nobody else works here.
		for await (const lock of glob('**/*.lock', {cwd: path.join(directory, '.git')})) {
			await rm(path.join(directory, '.git', lock), {force: true});
		}
		return new Checkout(directory, repository.paths[0] ?? '');
	}

	private constructor(directory: string, prefix: string) {
		this.directory = directory;
		this.source = path.join(directory, prefix);
	}

	/** Checks a commit out. Unchanged files keep their mtimes, so make does not rebuild them. */
	async at(commit: string): Promise<void> {
		await git(this.directory, ['checkout', '--quiet', '--force', '--detach', commit]);
		await git(this.directory, ['clean', '--quiet', '-d', '--force']);
	}

	async candidate(commit: string): Promise<Candidate> {
		return candidateOf(this.directory, commit);
	}

	/** The first parent. */
	async parent(commit: string): Promise<Candidate> {
		return this.candidate(await git(this.directory, ['rev-parse', `${commit}^`]));
	}

	/** Message, author and list of files. */
	async text(commit: string): Promise<string> {
		return git(this.directory, ['show', '--no-color', '--stat', '--format=medium', '--no-ext-diff', commit]);
	}

	/** What a commit changes in Kconfig files, without context. */
	async kconfigDiff(commit: string): Promise<string> {
		return git(this.directory, [
			'show',
			'--format=',
			'--unified=0',
			'--no-color',
			'--no-ext-diff',
			commit,
			'--',
			'*Kconfig*',
		]);
	}

	/**
	 * `base` with `commit` reverted; undefined when the revert does not apply: `commit` is a merge, later commits
	 * conflict with it, or it is reverted already. Throws UsageError when git fails otherwise.
	 */
	async revertOn(base: Candidate, commit: Candidate): Promise<Candidate | undefined> {
		await this.at(base.id);
		const [, ...parents] = (await git(this.directory, ['rev-list', '--parents', '-n1', commit.id])).split(' ');
		if (parents.length > 1) return undefined;
		const reverted = await tryGit(this.directory, ['revert', '--no-edit', commit.id], {env: ourselves});
		if (!reverted.isOk) {
			const conflicts = await git(this.directory, ['diff', '--name-only', '--diff-filter=U']);
			await tryGit(this.directory, ['revert', '--abort']);
			if (conflicts === '' && !reverted.stdout.includes('nothing to commit')) {
				throw failed(this.directory, 'revert', reverted);
			}
			return undefined;
		}
		const id = await git(this.directory, ['rev-parse', 'HEAD']);
		return {id, title: `${base.id.slice(0, 12)} with ${commit.id.slice(0, 12)} reverted`};
	}
}

/**
 * Whether a checkout serves: a loss of power can damage it, and the commit that was checked out is gone if the user's
 * repository has dropped it.
 */
async function isUsable(directory: string): Promise<boolean> {
	const found = await tryGit(directory, ['rev-parse', '--show-cdup']);
	if (!found.isOk || found.stdout !== '') return false;
	const isBorn = (await tryGit(directory, ['rev-parse', '--verify', '--quiet', 'HEAD'])).isOk;
	return !isBorn || (await tryGit(directory, ['cat-file', '-e', 'HEAD^{tree}'])).isOk;
}

/** All options that the Kconfig files of a commit declare. */
export async function knownOptions(directory: string, commit: string): Promise<ReadonlySet<string>> {
	const pattern = '^[[:space:]]*(menu)?config [A-Za-z0-9_]+';
	const {stdout} = await tryGit(directory, ['grep', '--no-color', '-hE', pattern, commit, '--', '*Kconfig*']);
	return new Set(stdout.split('\n').map(line => `CONFIG_${line.trim().split(' ').at(-1)}`));
}

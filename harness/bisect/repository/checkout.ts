import {existsSync} from 'node:fs';
import {rename, rm} from 'node:fs/promises';
import path from 'node:path';
import type {Candidate} from '../engine/candidate.ts';
import {failed, git, tryGit} from './git.ts';
import type {SourceRepository} from './source-repository.ts';
import {subjectOf} from './source-repository.ts';

/** As far as a revert is one of ours, it is always the same commit. */
const ourselves = {
	GIT_AUTHOR_NAME: 'probe-matrix',
	GIT_AUTHOR_EMAIL: 'probe-matrix@localhost',
	GIT_AUTHOR_DATE: '@0 +0000',
	GIT_COMMITTER_NAME: 'probe-matrix',
	GIT_COMMITTER_EMAIL: 'probe-matrix@localhost',
	GIT_COMMITTER_DATE: '@0 +0000',
};

/**
 * A work tree of our own with the commits of a person's repository. It borrows their objects, so that it takes no time to
 * make, and writes nothing to that repository: no branch, no worktree entry, no state of a bisect.
 */
export class Checkout {
	readonly directory: string;

	static async open(repository: SourceRepository, directory: string): Promise<Checkout> {
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
		// A git that was killed has left it.
		await rm(path.join(directory, '.git/index.lock'), {force: true});
		return new Checkout(directory);
	}

	private constructor(directory: string) {
		this.directory = directory;
	}

	/** Puts that commit's files there; those that do not change keep their times, so that make does not build them again. */
	async at(commit: string): Promise<void> {
		await git(this.directory, ['checkout', '--quiet', '--force', '--detach', commit]);
		await git(this.directory, ['clean', '--quiet', '-d', '--force']);
	}

	async candidate(commit: string): Promise<Candidate> {
		return subjectOf(this.directory, commit);
	}

	/** The first parent. */
	async parent(commit: string): Promise<Candidate> {
		return this.candidate(await git(this.directory, ['rev-parse', `${commit}^`]));
	}

	/** Its whole message, author and list of files. */
	async text(commit: string): Promise<string> {
		return git(this.directory, ['show', '--no-color', '--stat', '--format=medium', '--no-ext-diff', commit]);
	}

	/**
	 * The commit `base` without what `commit` did; `undefined` where there is no such thing: it is a merge, others have
	 * built on it, or it is undone already.
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

// SPDX-License-Identifier: GPL-2.0
import path from 'node:path';
import type {GuestContent} from '../../build/guest-content.ts';
import type {Suite} from '../../engine/suite.ts';
import {UsageError} from '../../host/errors.ts';
import {tryGit} from '../repository/git.ts';

/** Where the history of the modules under test is. */
export type ModuleHistory = {
	readonly repository: string;
	/** The directories of the modules, below the top of the repository. */
	readonly paths: readonly string[];
	/** What is in guests that test the modules of a checkout. */
	at(checkout: string): GuestContent;
};

/**
 * The history of a suite's modules, in the git repository that their directories are in, or in another one that has the
 * same directories. Throws UsageError if there is none.
 */
export async function moduleHistory({name, modules}: Suite, repository?: string): Promise<ModuleHistory> {
	const [first] = modules?.directories ?? [];
	if (!modules || first === undefined)
		throw new UsageError(`${name} has no module whose history could be bisected: name its directory by --module.`);
	const found = await tryGit(first, ['rev-parse', '--show-toplevel']);
	if (!found.isOk && repository === undefined)
		throw new UsageError(`${first} has no history: it is in no git repository.`);
	const top = found.isOk ? found.stdout.trim() : path.dirname(first);
	const paths = modules.directories.map(directory => path.relative(top, directory) || '.');
	const outside = paths.findIndex(each => each.startsWith('..'));
	if (outside >= 0)
		throw new UsageError(
			`${modules.directories[outside]} and ${first} are not in one repository, so they have no common history.`,
		);
	return {
		repository: repository ?? top,
		paths,
		at: checkout => modules.at(paths.map(each => path.join(checkout, each))),
	};
}

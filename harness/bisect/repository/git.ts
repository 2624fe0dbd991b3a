// SPDX-License-Identifier: GPL-2.0
import {cacheRoot} from '../../host/cache-root.js';
import {UsageError} from '../../host/errors.ts';
import {programs} from '../../host/programs.ts';

export type GitResult = {
	readonly stdout: string;
	readonly stderr: string;
	readonly isOk: boolean;
	/** Undefined if git was killed. */
	readonly exitCode: number | undefined;
	/** For display: `ended with 1`, `was killed by SIGTERM`. */
	readonly how: string;
};

/**
 * What a person has set for their own work must not change what git does or prints here: hooks, signatures, rerere,
 * conversion of line ends, submodules that come along, daemons that watch files, colours, escaped names.
 */
const settings = [
	...['core.hooksPath=/dev/null', 'commit.gpgSign=false', 'rerere.enabled=false', 'core.autocrlf=false'],
	...['submodule.recurse=false', 'core.fsmonitor=false', 'color.ui=false', 'core.quotePath=false'],
	...['log.showSignature=false', 'protocol.file.allow=always', 'gc.auto=0', 'maintenance.auto=false'],
];
const ours = settings.flatMap(setting => ['-c', setting]);

const environment = {
	GIT_TERMINAL_PROMPT: '0',
	// Otherwise `git status` refreshes the index of the user's repository.
	GIT_OPTIONAL_LOCKS: '0',
	// A checkout borrows objects only, so its history would be another one than that of the user's repository.
	GIT_NO_REPLACE_OBJECTS: '1',
	// A file that cannot exist: for an empty one, git warns.
	GIT_GRAFT_FILE: '/dev/null/none',
};

/** Runs git in `directory`. */
export async function tryGit(
	directory: string,
	args: readonly string[],
	{env = {}}: {env?: Readonly<Record<string, string>>} = {},
): Promise<GitResult> {
	const {stdout, stderr, failed, code, exitCode, signal} = await programs()(
		'git',
		['-C', directory, ...ours, ...args],
		{
			reject: false,
			maxBuffer: 1 << 28,
			// If a checkout in the cache is damaged, git must not take a repository around the cache for it.
			env: {...environment, GIT_CEILING_DIRECTORIES: cacheRoot(), ...env},
		},
	);
	if (code === 'ENOENT') throw new UsageError('Bisecting commits needs git, which is not installed.');
	const how = signal === undefined ? `ended with ${exitCode ?? code}` : `was killed by ${signal}`;
	return {stdout, stderr, isOk: !failed, exitCode, how};
}

/** Standard output of git, trimmed. Throws UsageError with git's message. */
export async function git(
	directory: string,
	args: readonly string[],
	options?: {env?: Readonly<Record<string, string>>},
): Promise<string> {
	const result = await tryGit(directory, args, options);
	if (result.isOk) return result.stdout.trim();
	throw failed(directory, args[0]!, result);
}

/** The error for a git command that failed. */
export function failed(
	directory: string,
	command: string,
	{stderr, how}: Pick<GitResult, 'stderr' | 'how'>,
): UsageError {
	const lines = stderr.trim().split('\n').filter(Boolean);
	// Warnings and hints come first.
	const line = lines.find(each => /^(?:fatal|error):/.test(each)) ?? lines[0] ?? `it ${how}`;
	return new UsageError(`git ${command} fails in ${directory}: ${line}`);
}

// SPDX-License-Identifier: GPL-2.0
import {UsageError} from '../../host/errors.ts';
import {programs} from '../../host/programs.ts';

export type GitResult = {
	readonly stdout: string;
	readonly stderr: string;
	readonly isOk: boolean;
	/** For display: `ended with 1`, `was killed by SIGTERM`. */
	readonly how: string;
};

/**
 * Without these a revert could run hooks or ask for a signature, rerere could hide a conflict, and autocrlf change
 * files.
 */
const settings = ['core.hooksPath=/dev/null', 'commit.gpgSign=false', 'rerere.enabled=false', 'core.autocrlf=false'];
const ours = settings.flatMap(setting => ['-c', setting]);

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
			env: {
				GIT_TERMINAL_PROMPT: '0',
				// Otherwise `git status` refreshes the index of the user's repository.
				GIT_OPTIONAL_LOCKS: '0',
				...env,
			},
		},
	);
	if (code === 'ENOENT') throw new UsageError('Bisecting commits needs git, which is not installed.');
	const how = signal === undefined ? `ended with ${exitCode ?? code}` : `was killed by ${signal}`;
	return {stdout, stderr, isOk: !failed, how};
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
export function failed(directory: string, command: string, {stderr}: GitResult): UsageError {
	return new UsageError(`git ${command} fails in ${directory}: ${stderr.trim().split('\n')[0]}`);
}

import {execa} from 'execa';
import {UsageError} from '../host/errors.ts';

export type GitResult = {readonly stdout: string; readonly stderr: string; readonly isOk: boolean};

/** Runs git there, without the hooks and settings of the environment that would lead it elsewhere. */
export async function tryGit(
	directory: string,
	args: readonly string[],
	{env = {}}: {env?: Readonly<Record<string, string>>} = {},
): Promise<GitResult> {
	const foreign = Object.keys(process.env).filter(name => name.startsWith('GIT_'));
	const {stdout, stderr, failed, code} = await execa(
		'git',
		['-C', directory, '-c', 'core.hooksPath=/dev/null', ...args],
		{
			reject: false,
			maxBuffer: 1 << 28,
			env: {
				...Object.fromEntries(foreign.map(name => [name, undefined])),
				LC_ALL: 'C',
				GIT_TERMINAL_PROMPT: '0',
				...env,
			},
		},
	);
	if (code === 'ENOENT') throw new UsageError('git is needed to bisect commits, and it is not installed.');
	return {stdout, stderr, isOk: !failed};
}

/** The same, trimmed. Throws UsageError with git's own words. */
export async function git(
	directory: string,
	args: readonly string[],
	options?: {env?: Readonly<Record<string, string>>},
): Promise<string> {
	const {stdout, stderr, isOk} = await tryGit(directory, args, options);
	if (isOk) return stdout.trim();
	throw new UsageError(`git ${args[0]} fails in ${directory}: ${stderr.trim().split('\n')[0]}`);
}

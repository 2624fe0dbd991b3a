import {execa} from 'execa';
import {UsageError} from '../../host/errors.ts';

export type GitResult = {readonly stdout: string; readonly stderr: string; readonly isOk: boolean};

/** Nobody is there to sign; a conflict that was settled once is none; files are what they are in the commit. */
const settings = ['core.hooksPath=/dev/null', 'commit.gpgSign=false', 'rerere.enabled=false', 'core.autocrlf=false'];
const ours = settings.flatMap(setting => ['-c', setting]);

/** Runs git there, without the hooks and settings of the environment that would lead it elsewhere. */
export async function tryGit(
	directory: string,
	args: readonly string[],
	{env = {}}: {env?: Readonly<Record<string, string>>} = {},
): Promise<GitResult> {
	const foreign = Object.keys(process.env).filter(name => name.startsWith('GIT_'));
	const {stdout, stderr, failed, code} = await execa('git', ['-C', directory, ...ours, ...args], {
		reject: false,
		maxBuffer: 1 << 28,
		env: {
			...Object.fromEntries(foreign.map(name => [name, undefined])),
			LC_ALL: 'C',
			GIT_TERMINAL_PROMPT: '0',
			// git status would write what it has found out to the person's index.
			GIT_OPTIONAL_LOCKS: '0',
			...env,
		},
	});
	if (code === 'ENOENT') throw new UsageError('Bisecting commits needs git, which is not installed.');
	return {stdout, stderr, isOk: !failed};
}

/** The same, trimmed. Throws UsageError with git's own words. */
export async function git(
	directory: string,
	args: readonly string[],
	options?: {env?: Readonly<Record<string, string>>},
): Promise<string> {
	const result = await tryGit(directory, args, options);
	if (result.isOk) return result.stdout.trim();
	throw failed(directory, args[0]!, result);
}

/** What to throw then. */
export function failed(directory: string, command: string, {stderr}: GitResult): UsageError {
	return new UsageError(`git ${command} fails in ${directory}: ${stderr.trim().split('\n')[0]}`);
}

import {createHash} from 'node:crypto';
import path from 'node:path';
import {execa} from 'execa';
import {cacheDirectory, immutableDirectory} from '../host/cache.ts';
import {BuildError, diskFull, fullDisk, UsageError} from '../host/errors.ts';
import {say} from '../host/say.ts';
import {copySources, type Elsewhere, hashSources, toolchainIdentity} from './sources.ts';

type Make = {
	readonly name: string;
	/** Directories of the project that the build may read; copied side by side. */
	readonly sources: readonly string[];
	readonly elsewhere?: Elsewhere | undefined;
	/** Programs whose change means to build anew. */
	readonly tools: readonly string[];
	/** Anything else that decides the outcome. */
	readonly key: string;
	/** The arguments for each run of make in the copy. */
	readonly runs: (directory: string) => readonly (readonly string[])[];
	/** The command that is make, where the host's will not do. */
	readonly make?: (directory: string) => readonly string[];
	readonly signal?: AbortSignal | undefined;
	/** Called before it is built, which it may have been already. */
	readonly onBuild?: () => void;
};

/** The directory where those sources have been built; nothing is done if they, their tools and `key` are unchanged. */
export async function buildOnce({
	name,
	sources,
	elsewhere,
	tools,
	key,
	runs,
	make = () => ['make'],
	signal,
	onBuild,
}: Make): Promise<string> {
	const [content, toolchain] = await Promise.all([
		hashSources(sources, elsewhere),
		toolchainIdentity(['make', ...tools]),
	]);
	const identity = createHash('sha256').update(`${content}\n${toolchain}\n${key}`).digest('hex').slice(0, 16);
	const final = path.join(cacheDirectory('build'), `${name}-${identity}`);
	return immutableDirectory(
		final,
		async directory => {
			say(`building ${name}.`);
			onBuild?.();
			await copySources(sources, directory, elsewhere);
			for (const args of runs(directory))
				await buildWith(name, directory, [...make(directory), '--no-print-directory', '-j2', ...args], signal);
		},
		{signal},
	);
}

/** The warnings of modpost, objtool and the assembler do not fail a build by themselves, ours must. */
const isWarning = /^WARNING: modpost|warning: (?:objtool|.*\[-W)|: Warning: /m;

async function buildWith(name: string, cwd: string, command: readonly string[], signal?: AbortSignal): Promise<void> {
	const {words, failure} = await runMake({name, cwd, command, signal});
	const why = failure ?? (isWarning.test(words) ? 'there are warnings' : undefined);
	if (why === undefined) return;
	throw new BuildError(`${name} does not build: ${why}.\n${words.trim().split('\n').slice(-60).join('\n')}`);
}

/** A program that there is not, which the line before names, or one that the kernel of the host has ended. */
const hostFault = /^(?:.*\n)?.*(?:Error 12[67]\b|Killed signal terminated program|Cannot allocate memory).*$/m;

export type Made = {
	/** All that was printed. */
	readonly words: string;
	/** Why there is no success; nothing where there is. */
	readonly failure?: string;
};

/** Runs make. Throws UsageError where not the sources but this host is why it fails. */
export async function runMake({
	name,
	cwd,
	command: [command, ...args],
	signal,
}: {
	readonly name: string;
	readonly cwd: string;
	readonly command: readonly string[];
	readonly signal?: AbortSignal | undefined;
}): Promise<Made> {
	// Goes with the harness even if that is killed, and takes its compilers with it.
	const {all, failed, exitCode, shortMessage} = await execa('setpriv', ['--pdeathsig', 'TERM', command!, ...args], {
		cwd,
		all: true,
		reject: false,
		cancelSignal: signal,
		env: {LC_ALL: 'C', MAKEFLAGS: '', MAKELEVEL: ''},
	});
	signal?.throwIfAborted();
	const words = all ?? '';
	if (!failed) return {words};
	if (words.includes(fullDisk)) throw diskFull(cwd, words.slice(-1000));
	// 126 and 127 are what setpriv ends with where it cannot start the command.
	const isNotRun = exitCode === undefined || exitCode === 126 || exitCode === 127;
	const fault = hostFault.exec(words)?.[0] ?? (isNotRun ? words.trim() || shortMessage : undefined);
	if (fault !== undefined)
		throw new UsageError(`${name} cannot be built here: ${fault.trim().replaceAll('\n', '; ')}.`);
	return {words, failure: `make ended with ${exitCode}`};
}

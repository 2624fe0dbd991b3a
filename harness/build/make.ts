import {createHash} from 'node:crypto';
import path from 'node:path';
import {execa} from 'execa';
import {cacheDirectory, immutableDirectory} from '../host/cache.ts';
import {BuildError, diskFull, fullDisk} from '../host/errors.ts';
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
			await copySources(sources, directory, elsewhere);
			for (const args of runs(directory))
				await runMake(name, directory, [...make(directory), '--no-print-directory', '-j2', ...args], signal);
		},
		{signal},
	);
}

/** The warnings of modpost, objtool and the assembler do not fail a build by themselves, ours must. */
const isWarning = /^WARNING: modpost|warning: (?:objtool|.*\[-W)|: Warning: /m;

async function runMake(
	name: string,
	cwd: string,
	[command, ...args]: readonly string[],
	signal?: AbortSignal,
): Promise<void> {
	// Goes with the harness even if that is killed, and takes its compilers with it.
	const {all, failed, exitCode, shortMessage} = await execa('setpriv', ['--pdeathsig', 'TERM', command!, ...args], {
		cwd,
		all: true,
		reject: false,
		cancelSignal: signal,
		env: {LC_ALL: 'C', MAKEFLAGS: '', MAKELEVEL: ''},
	});
	signal?.throwIfAborted();
	if (!failed && !isWarning.test(all)) return;
	if (all.includes(fullDisk)) throw diskFull(cwd, all.slice(-1000));
	const why = exitCode === undefined ? shortMessage : failed ? `make ended with ${exitCode}` : 'there are warnings';
	throw new BuildError(`${name} does not build: ${why}.\n${all.trim().split('\n').slice(-60).join('\n')}`);
}

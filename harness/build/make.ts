import {createHash} from 'node:crypto';
import {existsSync} from 'node:fs';
import {rm, utimes, writeFile} from 'node:fs/promises';
import path from 'node:path';
import {execa} from 'execa';
import {cacheDirectory, immutableDirectory, locked, removeUnused} from '../host/cache.ts';
import {BuildError, diskFull, fullDisk, UsageError} from '../host/errors.ts';
import {say} from '../host/say.ts';
import {
	copySources,
	type Elsewhere,
	emptyDirectory,
	hashSources,
	placeOf,
	syncSources,
	toolchainIdentity,
} from './sources.ts';

type Make = {
	readonly name: string;
	/** Files and directories of the project that the build may read; copied side by side. */
	readonly sources: readonly string[];
	readonly elsewhere?: Elsewhere | undefined;
	/** Programs whose change means to build anew. */
	readonly tools: readonly string[];
	/** Anything else that decides the outcome. */
	readonly key: string;
	/** The commands that build what has changed in the copy. `isRestart`: nothing of it has been built yet. */
	readonly commands: (directory: string, options: {isRestart: boolean}) => Promise<readonly Command[]>;
	/** Puts what is of use into an empty directory. */
	readonly deliver: (directory: string, to: string) => Promise<void>;
	readonly signal?: AbortSignal | undefined;
	/** Called before it is built, which it may have been already. */
	readonly onBuild?: () => void;
};

export type Command = readonly string[];

/** The directory with what those sources give; nothing is done if they, their tools and `key` are unchanged. */
export async function buildOnce(make: Make): Promise<string> {
	const {name, sources, elsewhere, tools, key, signal} = make;
	const toolchain = await toolchainIdentity(['make', ...tools]);
	const identity = shortHash(`${hashSources(sources, elsewhere)}\n${toolchain}\n${key}`);
	const final = path.join(cacheDirectory('build'), `${name}-${identity}`);
	// Kept, so that one changed file is one file to compile; each checkout has its own, or two would undo each other's.
	const places = sources.map(place => placeOf(place, elsewhere)).join('\n');
	const objects = path.join(cacheDirectory('objects'), `${name}-${shortHash(`${places}\n${toolchain}\n${key}`)}`);
	return immutableDirectory(
		final,
		to =>
			locked(objects, {signal}, async () => {
				say(`building ${name}.`);
				make.onBuild?.();
				if (existsSync(objects)) await utimes(objects, new Date(), new Date());
				await removeUnused(path.dirname(objects), unusedMs);
				await buildIn(objects, make);
				await make.deliver(objects, to);
			}),
		{signal},
	);
}

/** Present while something is built: what a killed build has left half written is not trusted. */
const buildingMark = '.building';

async function buildIn(directory: string, {name, sources, elsewhere, commands, signal}: Make): Promise<void> {
	const mark = path.join(directory, buildingMark);
	const isRestart = existsSync(mark) || !syncSources(sources, directory, elsewhere);
	if (isRestart) {
		emptyDirectory(directory);
		copySources(sources, directory, elsewhere);
	}
	await writeFile(mark, '');
	for (const command of await commands(directory, {isRestart})) {
		const {words, failure} = await runMake({name, cwd: directory, command, signal});
		const hasWarnings = isWarning.test(words);
		const why = failure ?? (hasWarnings ? 'there are warnings' : undefined);
		if (why === undefined) continue;
		// With warnings the next make would find nothing to do, and nobody the warning. After a first build that failed, what
		// it has not come to yet is not known.
		if (!hasWarnings && !isRestart) await rm(mark);
		// By the names that people edit, not those of the copies.
		const plain = words.replaceAll(`${directory}/`, '').trim();
		throw new BuildError(`${name} does not build: ${why}.\n${plain.split('\n').slice(-60).join('\n')}`);
	}
	await rm(mark);
}

/** Of checkouts that are gone they are of no use to anybody. */
const unusedMs = 7 * 24 * 60 * 60_000;

function shortHash(text: string): string {
	return createHash('sha256').update(text).digest('hex').slice(0, 16);
}

/** The warnings of modpost, objtool and the assembler do not fail a build by themselves, ours must. */
const isWarning = /^WARNING: modpost|warning: (?:objtool|.*\[-W)|: Warning: /m;

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

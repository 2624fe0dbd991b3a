// SPDX-License-Identifier: GPL-2.0
import {createHash} from 'node:crypto';
import {existsSync} from 'node:fs';
import {rm, utimes, writeFile} from 'node:fs/promises';
import path from 'node:path';
import {cacheDirectory, immutableDirectory, locked, removeUnused} from '../host/cache.ts';
import {BuildError, diskFull, fullDisk, UsageError} from '../host/errors.ts';
import {hostFaultOf} from '../host/host-fault.ts';
import {programs} from '../host/programs.ts';
import {say} from '../host/say.ts';
import {NotMadeError} from './bare-module.ts';
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
	/** Files and directories of the project that the build may read; they are copied side by side. */
	readonly sources: readonly string[];
	readonly elsewhere?: Elsewhere | undefined;
	/** Programs whose change causes a full build. */
	readonly tools: readonly string[];
	/** Anything else that decides the outcome. */
	readonly key: string;
	/** The commands that bring the copy up to date. `isRestart`: nothing in it has been built yet. */
	readonly commands: (directory: string, options: {isRestart: boolean}) => Promise<readonly Command[]>;
	/** Copies the results from the build directory into the empty directory `to`. */
	readonly deliver: (directory: string, to: string) => Promise<void>;
	/** Whether warnings fail the build. Default: true. */
	readonly isStrict?: boolean;
	readonly signal?: AbortSignal | undefined;
	/** Called when a build is needed, before it starts. */
	readonly onBuild?: () => void;
};

export type Command = readonly string[];

/**
 * Returns the directory with the results. Does nothing if sources, tools and `key` are unchanged. Throws BuildError.
 */
export async function buildOnce(make: Make): Promise<string> {
	const {name, sources, elsewhere, tools, key, signal} = make;
	const toolchain = await toolchainIdentity(['make', ...tools]);
	const identity = shortHash(`${hashSources(sources, elsewhere)}\n${toolchain}\n${key}`);
	const final = path.join(cacheDirectory('build'), `${name}-${identity}`);
	// Objects are kept for incremental builds. Each checkout has its own: two would keep overwriting each other's.
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
				const words = await buildIn(objects, make);
				try {
					await make.deliver(objects, to);
				} catch (error) {
					if (!(error instanceof NotMadeError)) throw error;
					// Make found nothing to do: the objects of such a build are not worth keeping.
					emptyDirectory(objects);
					throw new BuildError(
						`${name} does not build: make ended with 0, but made no ${error.message}.\n${lastLines(words)}`,
					);
				}
			}),
		{signal},
	);
}

/** Exists while a build runs: if a build is killed, its directory is not trusted. */
const buildingMark = '.building';

async function buildIn(
	directory: string,
	{name, sources, elsewhere, commands, signal, isStrict = true}: Make,
): Promise<string> {
	const mark = path.join(directory, buildingMark);
	const isRestart = existsSync(mark) || !syncSources(sources, directory, elsewhere);
	if (isRestart) {
		emptyDirectory(directory);
		copySources(sources, directory, elsewhere);
	}
	await writeFile(mark, '');
	let said = '';
	for (const command of await commands(directory, {isRestart})) {
		const {words, failure} = await runMake({name, cwd: directory, command, signal});
		// Show the names of the original files, not of the copies.
		const plain = words.replaceAll(`${directory}/`, '').trim();
		said = `${said}\n${plain}`.trim();
		const hasWarnings = isStrict && isWarning.test(words);
		const why = failure ?? (hasWarnings ? 'there are warnings' : undefined);
		if (why === undefined) continue;
		// After warnings, another make would have nothing to do and would not repeat them. After a failed first build,
		// it is unknown which files have been compiled. In both cases the mark stays, and the next build starts over.
		if (!hasWarnings && !isRestart) await rm(mark);
		throw new BuildError(
			`${name} does not build: ${failure === undefined ? why : firstError(plain)}\n${lastLines(plain)}`,
		);
	}
	await rm(mark);
	return said;
}

function lastLines(words: string): string {
	return words.split('\n').slice(-60).join('\n');
}

/** Object directories whose checkout may be gone are removed after this time. */
const unusedMs = 7 * 24 * 60 * 60_000;

function shortHash(text: string): string {
	return createHash('sha256').update(text).digest('hex').slice(0, 16);
}

/** The first line of a compiler's or linker's output that names an error; else the first line. */
export function firstError(words: string): string {
	const lines = words.split('\n');
	const line = lines.find(each => /error:|undefined!|undefined reference|\*\*\*/i.test(each)) ?? lines[0]!;
	return line.trim();
}

/** Warnings of modpost, objtool and the assembler do not fail make, but must fail our builds. */
const isWarning = /^WARNING: modpost|warning: (?:objtool|.*\[-W)|: Warning: /m;

/** A missing program, which is named in the line before. */
const missingProgram = /^(?:.*\n)?.*Error 12[67]\b.*$/m;

export type Made = {
	/** Everything that was printed. */
	readonly words: string;
	/** Why it failed; undefined on success. */
	readonly failure?: string;
};

/** Runs make. Throws UsageError when the host and not the sources made it fail. */
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
	// Make and its compilers must end when the harness is killed.
	const {
		all,
		failed,
		exitCode,
		signal: by,
		shortMessage,
	} = await programs()('setpriv', ['--pdeathsig', 'TERM', command!, ...args], {
		cwd,
		all: true,
		reject: false,
		cancelSignal: signal,
	});
	signal?.throwIfAborted();
	const words = all ?? '';
	if (!failed) return {words};
	if (words.includes(fullDisk)) throw diskFull(cwd, words.slice(-1000));
	// setpriv exits with 126 or 127 when it cannot start the command.
	const isNotRun = exitCode === undefined || exitCode === 126 || exitCode === 127;
	const fault =
		hostFaultOf(words, {signal: by}) ??
		missingProgram.exec(words)?.[0] ??
		(isNotRun ? words.trim() || shortMessage : undefined);
	if (fault !== undefined)
		throw new UsageError(`${name} cannot be built here: ${fault.trim().replaceAll('\n', '; ')}.`);
	return {words, failure: `make ended with ${exitCode}`};
}

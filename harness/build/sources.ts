// SPDX-License-Identifier: GPL-2.0
import {createHash} from 'node:crypto';
import {cpSync, existsSync, mkdirSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync} from 'node:fs';
import {realpath, stat} from 'node:fs/promises';
import path from 'node:path';
import {directoryOnPath} from '../host/qemu.ts';

/** The checkout or package that this harness runs from. */
export const projectRoot = path.resolve(import.meta.dirname, '../..');

/** `harness` in a checkout. In a package, which has only what was built from it, `dist`; and files end like this one. */
const ownDirectory = path.basename(path.dirname(import.meta.dirname));
const ownExtension = path.extname(import.meta.filename);

// Build output in a source directory is not a source. `name` is a path below the checkout; a room has such a name, too.
const isBuildOutput = (name: string) =>
	name !== 'harness/build' &&
	/^\.|\.(?:o|ko|mod|mod\.c|cmd|order|symvers|a)$|^(?:node_modules|out|build)$/.test(path.basename(name));

// Tests are not part of the harness: changing them must not change the identity of a run.
const isForTests = (name: string) => /^harness\/(?:.*\.test\.ts$|test(?:\/|$)|(?:.*\/)?samples(?:\/|$))/.test(name);

/** Whether a file is a source; `name` is its path below the checkout. Editors' backup files (`~`) are not. */
export function isSource(name: string): boolean {
	const parts = name.split(path.sep);
	const isLeftOut = (part: string, n: number) => part.endsWith('~') || isBuildOutput(parts.slice(0, n + 1).join('/'));
	return !isForTests(name) && !parts.some(isLeftOut);
}

/** Directories of the project that are taken from elsewhere, for example from another commit; by their name. */
export type Elsewhere = Readonly<Record<string, string>>;

/** A source file: its path, and its name below the project. */
type Source = {readonly name: string; readonly file: string};

/** Hash of the names and contents of files and of all files below directories, given by their paths in the project. */
export function hashSources(places: readonly string[], elsewhere: Elsewhere = {}): string {
	const hash = createHash('sha256');
	for (const {name, file} of sourcesOf(places, elsewhere))
		hash.update(`${name}\0`).update(readFileSync(file)).update('\0');
	return hash.digest('hex');
}

/** Hash of the names and contents of files and directories, given by their paths. */
export function hashPlaces(paths: readonly string[]): string {
	return hashSources(
		paths.map((_, n) => String(n)),
		Object.fromEntries(paths.map((each, n) => [n, each])),
	);
}

/**
 * Updates `target` to hold the sources side by side. Unchanged files keep their mtimes, so make compiles only what
 * changed. Returns false if files have been added or removed: an incremental build could then differ from a full one.
 */
export function syncSources(places: readonly string[], target: string, elsewhere: Elsewhere = {}): boolean {
	const sources = sourcesOf(places, elsewhere);
	const listFile = path.join(target, '.sources.json');
	const list = JSON.stringify(sources.map(({name}) => name));
	const isSameList = existsSync(listFile) && readFileSync(listFile, 'utf8') === list;
	if (!isSameList) return false;
	for (const {name, file} of sources) {
		const data = readFileSync(file);
		const copy = path.join(target, name);
		if (!existsSync(copy)) return false;
		if (!readFileSync(copy).equals(data)) writeFileSync(copy, data);
	}
	return true;
}

/** Copies the sources into an empty `target`. */
export function copySources(places: readonly string[], target: string, elsewhere: Elsewhere = {}): void {
	const sources = sourcesOf(places, elsewhere);
	for (const {name, file} of sources) {
		const copy = path.join(target, name);
		mkdirSync(path.dirname(copy), {recursive: true});
		cpSync(file, copy);
	}
	writeFileSync(path.join(target, '.sources.json'), JSON.stringify(sources.map(({name}) => name)));
}

/** Empties a directory, or creates it. */
export function emptyDirectory(directory: string): void {
	rmSync(directory, {recursive: true, force: true});
	mkdirSync(directory, {recursive: true});
}

/** Identifies compilers by real path, size and mtime. Running each for its version takes too long. */
export async function toolchainIdentity(programs: readonly string[]): Promise<string> {
	const parts = programs.map(async program => {
		const directory = await directoryOnPath(program);
		if (!directory) return `${program}: none`;
		const file = await realpath(path.join(directory, program));
		const {size, mtimeMs} = await stat(file);
		return `${file} ${size} ${mtimeMs}`;
	});
	return (await Promise.all(parts)).join('\n');
}

// Synchronous, because it is faster for hundreds of small files, and most commands read them.
function sourcesOf(places: readonly string[], elsewhere: Elsewhere): readonly Source[] {
	return places.flatMap(place => filesBelow(placeOf(place, elsewhere), place));
}

/** The path of one of the project's files or directories, which is named as in a checkout. */
export function placeOf(place: string, elsewhere: Elsewhere = {}): string {
	const own = /^harness(?=\/|$)/.test(place)
		? place.replace('harness', ownDirectory).replace(/\.ts$/, ownExtension)
		: place;
	return elsewhere[place] ?? path.join(projectRoot, own);
}

function filesBelow(file: string, name: string): readonly Source[] {
	const stats = statSync(file);
	if (stats.isFile()) return [{name, file}];
	if (!stats.isDirectory()) return [];
	return readdirSync(file)
		.filter(each => !isBuildOutput(path.join(name, each)) && !isForTests(path.join(name, each)))
		.toSorted()
		.flatMap(each => filesBelow(path.join(file, each), path.join(name, each)));
}

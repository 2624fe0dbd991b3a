import {createHash} from 'node:crypto';
import {cpSync, existsSync, mkdirSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync} from 'node:fs';
import {realpath, stat} from 'node:fs/promises';
import path from 'node:path';
import {directoryOnPath} from '../host/qemu.ts';

/** The checkout this harness runs from. */
export const projectRoot = path.resolve(import.meta.dirname, '../..');

// What a build leaves behind in a source directory is no source.
const isBuildOutput = (name: string) =>
	/^\.|\.(?:o|ko|mod|mod\.c|cmd|order|symvers|a)$|^(?:node_modules|out|build)$/.test(name);

// Runs with other tests are still runs of the same harness.
const isForTests = (name: string) => /\.test\.ts$|^harness\/test(?:\/|$)|(?:^|\/)samples(?:\/|$)/.test(name);

/** Whether a file of the project, by its path below the checkout, is a source; editors leave copies beside it. */
export function isSource(name: string): boolean {
	return !isForTests(name) && !name.split(path.sep).some(part => isBuildOutput(part) || part.endsWith('~'));
}

/** Where some directories of the project are taken from instead: of another commit. */
export type Elsewhere = Readonly<Record<string, string>>;

/** One file of the sources: where it is, and its name below the project. */
type Source = {readonly name: string; readonly file: string};

/** A hash of the names and contents of those files, and of all files below those directories, of the project. */
export function hashSources(places: readonly string[], elsewhere: Elsewhere = {}): string {
	const hash = createHash('sha256');
	for (const {name, file} of sourcesOf(places, elsewhere))
		hash.update(`${name}\0`).update(readFileSync(file)).update('\0');
	return hash.digest('hex');
}

/**
 * Makes `target` hold what those places hold, side by side, without build output. Files that are the same already keep
 * their times, so that make sees what has changed. False where some have come or gone: what was built from the others
 * may not be what a build from nothing gives.
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

/** Fills an empty `target` with them. */
export function copySources(places: readonly string[], target: string, elsewhere: Elsewhere = {}): void {
	const sources = sourcesOf(places, elsewhere);
	for (const {name, file} of sources) {
		const copy = path.join(target, name);
		mkdirSync(path.dirname(copy), {recursive: true});
		cpSync(file, copy);
	}
	writeFileSync(path.join(target, '.sources.json'), JSON.stringify(sources.map(({name}) => name)));
}

/** Empties a directory, which may not exist. */
export function emptyDirectory(directory: string): void {
	rmSync(directory, {recursive: true, force: true});
	mkdirSync(directory, {recursive: true});
}

/** What stands for the compilers: their real files, sizes and times. Sampling each for its version takes too long. */
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

// Without promises: there are hundreds of small files, and each command that runs something reads them.
function sourcesOf(places: readonly string[], elsewhere: Elsewhere): readonly Source[] {
	return places.flatMap(place => filesBelow(placeOf(place, elsewhere), place));
}

/** Where one of them really is. */
export function placeOf(place: string, elsewhere: Elsewhere = {}): string {
	return elsewhere[place] ?? path.join(projectRoot, place);
}

function filesBelow(file: string, name: string): readonly Source[] {
	const stats = statSync(file);
	if (stats.isFile()) return [{name, file}];
	if (!stats.isDirectory()) return [];
	return readdirSync(file)
		.filter(each => !isBuildOutput(each) && !isForTests(path.join(name, each)))
		.toSorted()
		.flatMap(each => filesBelow(path.join(file, each), path.join(name, each)));
}

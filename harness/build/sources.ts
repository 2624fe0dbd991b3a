import {createHash} from 'node:crypto';
import {cp, readdir, readFile, realpath, stat} from 'node:fs/promises';
import path from 'node:path';
import {directoryOnPath} from '../host/qemu.ts';

/** The checkout this harness runs from. */
export const projectRoot = path.resolve(import.meta.dirname, '../..');

// What a build leaves behind in a source directory is no source.
const isBuildOutput = (name: string) =>
	/^\.|\.(?:o|ko|mod|mod\.c|cmd|order|symvers|a)$|^(?:node_modules|out|build)$/.test(name);

/** Where some directories of the project are taken from instead: of another commit. */
export type Elsewhere = Readonly<Record<string, string>>;

/** A hash of the names and contents of all files below those directories of the project. */
export async function hashSources(directories: readonly string[], elsewhere: Elsewhere = {}): Promise<string> {
	const hash = createHash('sha256');
	for (const directory of directories) {
		const root = placeOf(directory, elsewhere);
		for (const file of await filesBelow(root)) {
			hash
				.update(`${path.join(directory, path.relative(root, file))}\0`)
				.update(await readFile(file))
				.update('\0');
		}
	}
	return hash.digest('hex');
}

/** Copies those directories of the project side by side, without build output. */
export async function copySources(
	directories: readonly string[],
	target: string,
	elsewhere: Elsewhere = {},
): Promise<void> {
	for (const directory of directories) {
		await cp(placeOf(directory, elsewhere), path.join(target, directory), {
			recursive: true,
			filter: source => !isBuildOutput(path.basename(source)),
		});
	}
}

function placeOf(directory: string, elsewhere: Elsewhere): string {
	return elsewhere[directory] ?? path.join(projectRoot, directory);
}

/** What stands for the compilers: their real files, sizes and times. Asking each for its version takes too long. */
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

async function filesBelow(directory: string): Promise<readonly string[]> {
	const entries = (await readdir(directory, {withFileTypes: true})).filter(({name}) => !isBuildOutput(name));
	const nested = entries
		.toSorted((a, b) => (a.name < b.name ? -1 : 1))
		.map(async entry => {
			const file = path.join(directory, entry.name);
			if (entry.isDirectory()) return filesBelow(file);
			return entry.isFile() ? [file] : [];
		});
	return (await Promise.all(nested)).flat();
}

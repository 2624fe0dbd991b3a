import {createHash} from 'node:crypto';
import {createReadStream, existsSync} from 'node:fs';
import {lstat, readdir, readFile, readlink, writeFile} from 'node:fs/promises';
import path from 'node:path';
import {pipeline} from 'node:stream/promises';
import {errorCode} from './errors.ts';

/** A file's size, time of change in whole ms, and SHA-256 of its content (of a link, its target). */
type Entry = readonly [size: number, mtimeMs: number, sha256: string];

const fileName = '.manifest.json';

/**
 * From this size on a file is read whole at each check: kernels, emulators, archives, whose bits a guest runs. Of the
 * thousands of small ones (headers) only those are read whose size or time is not as it was.
 */
const alwaysReadBytes = 256 * 1024;

/** Notes what is in the directory, in a file of its own there. */
export async function writeManifest(directory: string): Promise<void> {
	const entries: Record<string, Entry> = {};
	for (const name of await filesBelow(directory, '')) {
		if (name === fileName) continue;
		const {size, mtimeMs} = await lstat(path.join(directory, name));
		entries[name] = [size, Math.floor(mtimeMs), await contentOf(path.join(directory, name))];
	}
	await writeFile(path.join(directory, fileName), JSON.stringify(entries));
}

/** The first file that is not as it was noted, or nothing. What came later, or without a note, is not looked at. */
export async function findDamage(directory: string): Promise<string | undefined> {
	const manifest = path.join(directory, fileName);
	if (!existsSync(manifest)) return undefined;
	let entries: readonly (readonly [string, Entry])[];
	try {
		entries = Object.entries(JSON.parse(await readFile(manifest, 'utf8')));
	} catch (error) {
		if (error instanceof SyntaxError) return fileName;
		throw error;
	}
	// In parts, as each file that is open at once takes memory and a descriptor.
	for (let from = 0; from < entries.length; from += 500) {
		const part = entries.slice(from, from + 500);
		const damaged = await Promise.all(part.map(([name, entry]) => isDamaged(path.join(directory, name), entry)));
		const first = damaged.indexOf(true);
		if (first >= 0) return part[first]![0];
	}
	return undefined;
}

async function isDamaged(file: string, [size, mtimeMs, sha256]: Entry): Promise<boolean> {
	try {
		const found = await lstat(file);
		if (found.size !== size) return true;
		if (size < alwaysReadBytes && Math.floor(found.mtimeMs) === mtimeMs) return false;
		return (await contentOf(file)) !== sha256;
	} catch (error) {
		if (errorCode(error) === 'ENOENT' || errorCode(error) === 'EIO') return true;
		throw error;
	}
}

async function contentOf(file: string): Promise<string> {
	const hash = createHash('sha256');
	if ((await lstat(file)).isSymbolicLink()) return hash.update(await readlink(file)).digest('hex');
	await pipeline(createReadStream(file, {highWaterMark: 1 << 20}), hash);
	return hash.digest('hex');
}

async function filesBelow(directory: string, name: string): Promise<readonly string[]> {
	const found: string[] = [];
	for (const entry of await readdir(path.join(directory, name), {withFileTypes: true})) {
		const inside = path.join(name, entry.name);
		if (entry.isDirectory()) found.push(...(await filesBelow(directory, inside)));
		else if (entry.isFile() || entry.isSymbolicLink()) found.push(inside);
	}
	return found;
}

// SPDX-License-Identifier: GPL-2.0
import {createHash} from 'node:crypto';
import {createReadStream, lstatSync, readFileSync} from 'node:fs';
import {lstat, readdir, readlink, writeFile} from 'node:fs/promises';
import path from 'node:path';
import {pipeline} from 'node:stream/promises';
import {writeAtomically} from './atomic-file.ts';
import {bootId} from './boot-id.ts';
import {errorCode} from './errors.ts';

/**
 * Size, mtime in whole ms, and SHA-256 of a file's content (for a link, of its target). A file without a hash counts as
 * undamaged only until the next boot of the host.
 */
type Entry = readonly [size: number, mtimeMs: number, sha256: string | null];

/** What the host's kernel knows of a file. Every write changes the ctime, which programs cannot set. */
type Trace = readonly [size: string, ctimeNs: string, inode: string];

/** Files that were checked, and the boot in which that was: after a power loss, earlier writes may be incomplete. */
type Witness = {readonly boot: string; readonly files: Readonly<Record<string, Trace>>};

const fileName = '.manifest.json';
const witnessName = '.witness.json';

/**
 * Files from this size on (kernels, emulators, archives) are read in full at each check, because a guest runs their
 * bits. Of the thousands of smaller ones (headers), only those with another size or mtime are read.
 */
const alwaysReadBytes = 256 * 1024;

/** With more files than this, checking all of them takes longer than starting a guest. */
const fewFiles = 300;

/** Writes the manifest of a directory into it. Files in `fleeting` are not hashed, because that takes too long. */
export async function writeManifest(directory: string, fleeting: readonly string[] = []): Promise<void> {
	const entries: Record<string, Entry> = {};
	for (const name of await filesBelow(directory, '')) {
		const {size, mtimeMs} = await lstat(path.join(directory, name));
		const content = fleeting.includes(name) ? null : await contentOf(path.join(directory, name));
		entries[name] = [size, Math.floor(mtimeMs), content];
	}
	await writeFile(path.join(directory, fileName), JSON.stringify(entries));
	await writeWitness(directory, Object.entries(entries));
}

/**
 * Returns the first damaged file, or undefined. Files that were added later, or that have no manifest, are not checked.
 */
export async function findDamage(directory: string): Promise<string | undefined> {
	const entries = readManifest(directory);
	if (entries === 'none') return undefined;
	if (entries === 'unreadable') return fileName;
	const witness = readWitness(directory);
	// In batches, because each open file takes memory and a descriptor.
	for (let from = 0; from < entries.length; from += 500) {
		const part = entries.slice(from, from + 500);
		const damaged = await Promise.all(part.map(([name, entry]) => isDamaged(directory, name, entry, witness)));
		const first = damaged.indexOf(true);
		if (first >= 0) return part[first]![0];
	}
	return undefined;
}

/**
 * Like findDamage, but files that were checked since the host booted, and have not been written to since, are not read
 * again. With more than `fewFiles` files, only the large ones are looked at then.
 */
export async function isUnharmed(directory: string): Promise<boolean> {
	const witness = readWitness(directory);
	if (witness) {
		const isSame = Object.entries(witness.files).every(([name, trace]) => isTraced(path.join(directory, name), trace));
		if (isSame) return true;
	}
	if ((await findDamage(directory)) !== undefined) return false;
	const entries = readManifest(directory);
	if (Array.isArray(entries)) await writeWitness(directory, entries);
	return true;
}

type Entries = readonly (readonly [string, Entry])[];

function readManifest(directory: string): Entries | 'none' | 'unreadable' {
	try {
		const entries = Object.entries(JSON.parse(readFileSync(path.join(directory, fileName), 'utf8')) as object);
		return entries.every(isEntry) ? entries : 'unreadable';
	} catch (error) {
		if (errorCode(error) === 'ENOENT') return 'none';
		if (error instanceof SyntaxError || error instanceof TypeError) return 'unreadable';
		throw error;
	}
}

function isEntry(entry: [string, unknown]): entry is [string, Entry] {
	const [, value] = entry;
	if (!Array.isArray(value)) return false;
	const [size, mtimeMs, sha256] = value as readonly unknown[];
	return typeof size === 'number' && typeof mtimeMs === 'number' && (sha256 === null || typeof sha256 === 'string');
}

async function writeWitness(directory: string, entries: Entries): Promise<void> {
	const worth = entries.filter(([, [size]]) => entries.length <= fewFiles || size >= alwaysReadBytes);
	const files = Object.fromEntries(worth.map(([name]) => [name, traceOf(path.join(directory, name))]));
	const boot = bootId();
	if (boot === undefined) return;
	try {
		await writeAtomically(path.join(directory, witnessName), JSON.stringify({boot, files} satisfies Witness));
	} catch {
		// Only an optimization.
	}
}

function readWitness(directory: string): Witness | undefined {
	try {
		// Only writeWitness writes this file.
		const witness = JSON.parse(readFileSync(path.join(directory, witnessName), 'utf8')) as Witness;
		const isWhole = witness.boot === bootId() && Object.values(witness.files).every(Array.isArray);
		return isWhole ? witness : undefined;
	} catch {
		// Missing or incomplete: check all files.
		return undefined;
	}
}

function traceOf(file: string): Trace {
	const {size, ctimeNs, ino} = lstatSync(file, {bigint: true});
	return [`${size}`, `${ctimeNs}`, `${ino}`];
}

function isTraced(file: string, trace: Trace): boolean {
	try {
		return traceOf(file).every((part, index) => part === trace[index]);
	} catch {
		return false;
	}
}

async function isDamaged(
	directory: string,
	name: string,
	[size, mtimeMs, sha256]: Entry,
	witness: Witness | undefined,
): Promise<boolean> {
	const file = path.join(directory, name);
	try {
		const found = await lstat(file);
		if (found.size !== size) return true;
		if (sha256 === null) return !witness?.files[name] || !isTraced(file, witness.files[name]);
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
		else if ((entry.isFile() || entry.isSymbolicLink()) && !ownFiles.test(inside)) found.push(inside);
	}
	return found;
}

const ownFiles = /^\.(?:manifest|witness)\.json/;

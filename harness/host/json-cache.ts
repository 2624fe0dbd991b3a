// SPDX-License-Identifier: GPL-2.0
import {createHash} from 'node:crypto';
import {readFile, stat} from 'node:fs/promises';
import {writeAtomically} from './atomic-file.ts';
import {errorCode, messageOf} from './errors.ts';
import {say} from './say.ts';

type Stored = {readonly sha256: string; readonly value: unknown};

/** Reads what `writeCached` wrote at most `maxAgeMs` ago; undefined if there is none or `holds` rejects it. */
export async function readCached<T>(
	file: string,
	maxAgeMs: number,
	holds: (value: T) => boolean | Promise<boolean>,
): Promise<T | undefined> {
	const {mtimeMs} = await stat(file).catch(() => ({mtimeMs: Number.NaN}));
	if (!(Date.now() - mtimeMs <= maxAgeMs)) return undefined;
	// Only `writeCached` writes these files.
	const value = (await readRecord(file)) as T | undefined;
	return value !== undefined && (await holds(value)) ? value : undefined;
}

const told = new Set<string>();

/**
 * The object in a file of the cache; undefined if there is none. What a power loss or a bad disk has made of a file
 * counts as none, and is said once: the cache can make all of it again.
 */
export async function readRecord(file: string): Promise<object | undefined> {
	try {
		return recordIn(JSON.parse(await readFile(file, 'utf8')));
	} catch (error) {
		if (errorCode(error) === 'ENOENT') return undefined;
		if (!told.has(file)) say(`${file} is damaged and counts as missing: ${reasonOf(error)}.`);
		told.add(file);
		return undefined;
	}
}

/** Writes `value` as JSON. It is on the disk afterwards: without the record, megabytes would be fetched or built again. */
export async function writeCached(file: string, value: object): Promise<void> {
	const stored: Stored = {sha256: hashOf(value), value};
	await writeAtomically(file, JSON.stringify(stored, null, '\t'), {isDurable: true});
	told.delete(file);
}

/** Throws SyntaxError for anything that was not written as it is. */
function recordIn(found: unknown): object {
	if (typeof found !== 'object' || found === null || Array.isArray(found)) throw new SyntaxError('it holds no record');
	// Older versions wrote the bare value.
	if (!('sha256' in found) && !('value' in found)) return found;
	const {sha256, value} = found as Partial<Stored>;
	if (typeof value !== 'object' || value === null || hashOf(value) !== sha256)
		throw new SyntaxError('its checksum is wrong');
	return value;
}

function hashOf(value: object): string {
	return createHash('sha256').update(JSON.stringify(value)).digest('hex');
}

function reasonOf(error: unknown): string {
	if (!(error instanceof SyntaxError)) return messageOf(error);
	return error.message.startsWith('it') ? error.message : 'it is not JSON';
}

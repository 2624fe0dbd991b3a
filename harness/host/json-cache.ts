// SPDX-License-Identifier: GPL-2.0
import {readFile, stat} from 'node:fs/promises';
import {writeAtomically} from './atomic-file.ts';
import {errorCode} from './errors.ts';

/** Reads what `writeCached` wrote at most `maxAgeMs` ago; undefined if there is none or `holds` rejects it. */
export async function readCached<T>(
	file: string,
	maxAgeMs: number,
	holds: (value: T) => boolean | Promise<boolean>,
): Promise<T | undefined> {
	try {
		if (Date.now() - (await stat(file)).mtimeMs > maxAgeMs) return undefined;
		// Only `writeCached` writes these files.
		const value = JSON.parse(await readFile(file, 'utf8')) as T;
		return (await holds(value)) ? value : undefined;
	} catch (error) {
		if (errorCode(error) === 'ENOENT' || error instanceof SyntaxError) return undefined;
		throw error;
	}
}

/** Writes `value` as JSON, atomically. */
export async function writeCached(file: string, value: unknown): Promise<void> {
	await writeAtomically(file, JSON.stringify(value, null, '\t'));
}

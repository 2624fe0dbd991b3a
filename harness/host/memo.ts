import {readFile, rename, stat, writeFile} from 'node:fs/promises';
import {errorCode} from './errors.ts';

/** What `remember` wrote not longer than `maxAgeMs` ago, if it still holds. */
export async function readRecent<T>(
	file: string,
	maxAgeMs: number,
	holds: (value: T) => boolean | Promise<boolean>,
): Promise<T | undefined> {
	try {
		if (Date.now() - (await stat(file)).mtimeMs > maxAgeMs) return undefined;
		// Only `remember` writes these files.
		const value = JSON.parse(await readFile(file, 'utf8')) as T;
		return (await holds(value)) ? value : undefined;
	} catch (error) {
		if (errorCode(error) === 'ENOENT' || error instanceof SyntaxError) return undefined;
		throw error;
	}
}

/** Writes `value` as JSON, for `readRecent`; who reads meanwhile sees the old or the new, never a part. */
export async function remember(file: string, value: unknown): Promise<void> {
	const temporary = `${file}.${process.pid}`;
	await writeFile(temporary, JSON.stringify(value, null, '\t'));
	await rename(temporary, file);
}

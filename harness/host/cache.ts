// SPDX-License-Identifier: GPL-2.0
import {randomBytes} from 'node:crypto';
import {accessSync, constants, existsSync} from 'node:fs';
import {mkdir, readdir, rename, rm, stat} from 'node:fs/promises';
import path from 'node:path';
import {cacheRoot, makeDirectories} from './cache-root.js';
import {diskFull, errorCode, messageOf, UsageError} from './errors.ts';
import {withLock} from './lock.ts';
import {findDamage, isUnharmed, writeManifest} from './manifest.ts';
import {say} from './say.ts';

/** A directory of the cache, created if missing. Throws UsageError when it cannot be created or written. */
export function cacheDirectory(...parts: readonly string[]): string {
	const directory = path.join(cacheRoot(), ...parts);
	try {
		makeDirectories(directory);
		accessSync(directory, constants.W_OK);
	} catch (error) {
		throw new UsageError(
			`The cache directory ${cacheRoot()} cannot be used (${messageOf(error)}); set PROBE_MATRIX_CACHE to another.`,
			{cause: error},
		);
	}
	return directory;
}

/** The cache entry that holds a file. Entries are two levels below the root. */
export function cacheEntryOf(file: string): string {
	const [kind, name] = path.relative(cacheRoot(), file).split(path.sep);
	return path.join(cacheRoot(), kind ?? '', name ?? '');
}

const checked = new Map<string, Promise<boolean>>();

/** Whether a directory of the cache is undamaged: no file truncated, changed or missing. Checked once per process. */
export async function isWhole(final: string): Promise<boolean> {
	if (!existsSync(final)) return false;
	let answer = checked.get(final);
	if (!answer) {
		answer = isUnharmed(final);
		checked.set(final, answer);
	}
	if (await answer) return true;
	checked.delete(final);
	return false;
}

/**
 * Returns the directory `final`. If it is missing, `fill` makes it under a temporary name, which is renamed when
 * complete. Concurrent callers, also in other processes, wait and get the same directory. `fleeting` names files that
 * are too large for a full check and quicker to make again; they count as damaged after the next boot of the host.
 */
export async function immutableDirectory(
	final: string,
	fill: (temporary: string) => Promise<void>,
	{signal, fleeting = []}: {signal?: AbortSignal | undefined; fleeting?: readonly string[]} = {},
): Promise<string> {
	if (await isWhole(final)) return final;
	const directory = path.relative(cacheRoot(), path.dirname(final));
	cacheDirectory(directory);
	return locked(final, {signal}, async () => {
		if (existsSync(final)) {
			const damaged = await findDamage(final);
			if (damaged === undefined) return final;
			say(`${path.join(final, damaged)} is damaged; ${path.basename(final)} is rebuilt.`);
			// Move it aside instead of removing it first: a guest may still run from it.
			await rename(final, `${final}.${randomBytes(4).toString('hex')}.tmp`);
		}
		await removeLeftovers(final);
		const temporary = `${final}.${randomBytes(4).toString('hex')}.tmp`;
		try {
			await mkdir(temporary);
			await fill(temporary);
			await writeManifest(temporary, fleeting);
			await rename(temporary, final);
		} catch (error) {
			await rm(temporary, {recursive: true, force: true});
			if (errorCode(error) === 'ENOSPC') throw diskFull(final, error);
			throw error;
		}
		return final;
	});
}

/** Runs `work` under a lock that all processes with this cache share. */
export async function locked<T>(
	name: string,
	{signal}: {signal?: AbortSignal | undefined},
	work: () => Promise<T>,
): Promise<T> {
	return withLock(name, {signal, directory: cacheDirectory('locks')}, work);
}

/** Removes what killed processes left. Safe while holding the lock of `final`. */
async function removeLeftovers(final: string): Promise<void> {
	const directory = path.dirname(final);
	for (const name of await readdir(directory)) {
		const isLeftover = name.startsWith(`${path.basename(final)}.`) && name.endsWith('.tmp');
		if (isLeftover) await rm(path.join(directory, name), {recursive: true, force: true});
	}
}

/** Removes entries that match and have not been touched for `unusedMs`. */
export async function removeUnused(
	parent: string,
	unusedMs: number,
	isMatch: (name: string) => boolean = () => true,
): Promise<void> {
	for (const name of (await readdir(parent)).filter(isMatch)) {
		const file = path.join(parent, name);
		const {mtimeMs} = await stat(file).catch(() => ({mtimeMs: Number.NaN}));
		if (Date.now() - mtimeMs > unusedMs) await rm(file, {recursive: true, force: true});
	}
}

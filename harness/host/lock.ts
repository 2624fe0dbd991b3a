// SPDX-License-Identifier: GPL-2.0
import {createHash} from 'node:crypto';
import {mkdirSync, truncateSync} from 'node:fs';
import path from 'node:path';
import {DatabaseSync} from 'node:sqlite';
import {setTimeout as sleep} from 'node:timers/promises';
import {diskFull} from './errors.ts';
import {say} from './say.ts';

/**
 * Runs `work` while no other process or thread holds the lock `name`.
 *
 * SQLite takes the lock, with a lock of the operating system. It is released whenever its process ends, so there are no
 * stale locks to detect.
 */
export async function withLock<T>(
	name: string,
	{signal, directory}: {signal?: AbortSignal; directory: string},
	work: () => Promise<T>,
): Promise<T> {
	mkdirSync(directory, {recursive: true});
	const file = path.join(directory, createHash('sha256').update(name).digest('hex').slice(0, 24));
	using database = new DatabaseSync(file, {timeout: 0});
	for (let waits = 0; ; waits++) {
		signal?.throwIfAborted();
		if (tryLock(database, file)) break;
		// There is no limit: a process that builds a kernel holds its lock for long, and one that is dead holds none.
		if (waits === waitsUntilSaid) say(`waiting for another process that works on ${name}.`);
		await sleep(waitMs, undefined, {signal});
	}
	return await work();
}

const waitMs = 50;
const waitsUntilSaid = 100;

const SQLITE_BUSY = 5;
/** The file is damaged, or no database. */
const damage = [11, 26];
const SQLITE_FULL = 13;

function tryLock(database: DatabaseSync, file: string): boolean {
	try {
		database.exec('BEGIN EXCLUSIVE');
		return true;
	} catch (error) {
		if (error instanceof Error && 'errcode' in error && error.errcode === SQLITE_BUSY) return false;
		if (error instanceof Error && 'errcode' in error && error.errcode === SQLITE_FULL)
			throw diskFull(database.location() ?? 'the locks', error);
		// Nothing is ever stored in it. It keeps its name, because others may hold a lock on it.
		if (error instanceof Error && 'errcode' in error && damage.includes(Number(error.errcode) & 0xff)) {
			truncateSync(file);
			return false;
		}
		throw error;
	}
}

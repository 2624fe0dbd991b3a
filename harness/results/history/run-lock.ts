// SPDX-License-Identifier: GPL-2.0
import {existsSync, rmSync} from 'node:fs';
import {DatabaseSync} from 'node:sqlite';
import {messageOf, UsageError} from '../../host/errors.ts';
import {damageCodes, hasCode} from './index-file.ts';

/**
 * Marks a run as in progress by a lock on a file beside its events. SQLite takes the lock, with a lock of the operating
 * system, so it is released whenever the process ends. A pid would be ambiguous: it may be reused, or belong to another
 * container.
 */
export class RunLock implements Disposable {
	readonly #events: string;
	readonly #lock: DatabaseSync | undefined;

	/** Takes the lock. Create it before the events: otherwise the run would seem to have ended for a moment. */
	constructor(events: string) {
		this.#events = events;
		let lock: DatabaseSync | undefined;
		try {
			lock = new DatabaseSync(markOf(events), {timeout: 0});
			lock.exec('BEGIN EXCLUSIVE');
		} catch {
			// A full disk, or a second run of that name. Without a lock the run seems interrupted until its end.
			lock?.close();
			lock = undefined;
		}
		this.#lock = lock;
	}

	[Symbol.dispose](): void {
		if (!this.#lock) return;
		removeMark(this.#events);
		this.#lock.close();
	}
}

/** SQLite's result code for a file that another process has locked. */
const busyCodes = new Set([5]);

/** Whether the process that writes these events is alive. Throws UsageError when the file cannot be read. */
export function isRunning(events: string): boolean {
	if (!existsSync(markOf(events))) return false;
	try {
		using database = new DatabaseSync(markOf(events), {timeout: 0});
		// Takes a shared lock, so that concurrent callers do not mistake each other for the run.
		database.prepare('SELECT count(*) FROM sqlite_schema').get();
		return false;
	} catch (error) {
		if (hasCode(error, busyCodes)) return true;
		// A file that is not a database cannot be locked by a run.
		if (hasCode(error, damageCodes)) return false;
		throw new UsageError(
			`Cannot tell whether a run is in progress: ${markOf(events)} cannot be read: ${messageOf(error)}.`,
			{
				cause: error,
			},
		);
	}
}

/** Removes the lock file that a killed run leaves. */
export function removeMark(events: string): void {
	// SQLite may have created a journal.
	for (const suffix of ['', '-journal']) rmSync(`${markOf(events)}${suffix}`, {force: true});
}

function markOf(events: string): string {
	return `${events}.running`;
}

import {existsSync, rmSync} from 'node:fs';
import {DatabaseSync} from 'node:sqlite';
import {messageOf, UsageError} from '../../host/errors.ts';
import {damageCodes, hasCode} from './index-file.ts';

/**
 * Says that a run goes on: a lock on a file beside its events. It is SQLite's, thus the operating system's, and goes with
 * the process, however that ends; a number of a process would have to be told from that of a later one, or of another
 * container.
 */
export class RunLock implements Disposable {
	readonly #events: string;
	readonly #lock: DatabaseSync | undefined;

	/** For the run that writes those events; made before they are, or the run would seem to have ended for a moment. */
	constructor(events: string) {
		this.#events = events;
		let lock: DatabaseSync | undefined;
		try {
			lock = new DatabaseSync(markOf(events), {timeout: 0});
			lock.exec('BEGIN EXCLUSIVE');
		} catch {
			// A full disk, or a second run of that name: what cannot say that it goes on seems interrupted until its end.
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

/** SQLite's code for a file that another process has locked. */
const busyCodes = new Set([5]);

/** Whether the process that writes those events is still alive. Throws UsageError where that cannot be told. */
export function isRunning(events: string): boolean {
	if (!existsSync(markOf(events))) return false;
	try {
		using database = new DatabaseSync(markOf(events), {timeout: 0});
		// Takes the lock that any number may have, so that those who ask do not take each other for the run.
		database.prepare('SELECT count(*) FROM sqlite_schema').get();
		return false;
	} catch (error) {
		if (hasCode(error, busyCodes)) return true;
		// Nobody can lock that.
		if (hasCode(error, damageCodes)) return false;
		throw new UsageError(
			`Cannot tell whether a run is in progress: ${markOf(events)} cannot be read: ${messageOf(error)}.`,
			{
				cause: error,
			},
		);
	}
}

/** What a run that was killed leaves. */
export function removeMark(events: string): void {
	// SQLite may have put a journal beside it.
	for (const suffix of ['', '-journal']) rmSync(`${markOf(events)}${suffix}`, {force: true});
}

function markOf(events: string): string {
	return `${events}.running`;
}

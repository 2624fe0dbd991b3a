// SPDX-License-Identifier: GPL-2.0
import {rmSync, statfsSync} from 'node:fs';
import path from 'node:path';
import {DatabaseSync} from 'node:sqlite';
import {diskFull, messageOf, UsageError} from '../../host/errors.ts';

/** Version of the tables below; raise it when they change. */
const indexSchema = 3;

const tables = `
	CREATE TABLE run (
		id TEXT PRIMARY KEY,
		bytes INTEGER NOT NULL,
		startedAt TEXT,
		command TEXT,
		isShard INTEGER,
		exitCode INTEGER,
		counts TEXT,
		kernels TEXT,
		problem TEXT
	) STRICT;
	CREATE TABLE cell (
		number INTEGER PRIMARY KEY,
		key TEXT NOT NULL UNIQUE,
		kernel TEXT NOT NULL,
		mechanism TEXT NOT NULL,
		caseId TEXT NOT NULL,
		target TEXT,
		alternative INTEGER NOT NULL
	) STRICT;
	CREATE TABLE result (
		cell INTEGER NOT NULL REFERENCES cell,
		run TEXT NOT NULL REFERENCES run,
		verdict TEXT NOT NULL,
		passes INTEGER NOT NULL,
		total INTEGER NOT NULL,
		durations TEXT NOT NULL,
		message TEXT,
		PRIMARY KEY (cell, run)
	) STRICT, WITHOUT ROWID;
	CREATE TABLE measurement (
		run TEXT NOT NULL REFERENCES run,
		kernel TEXT NOT NULL,
		what TEXT NOT NULL,
		unit TEXT NOT NULL,
		budget REAL,
		value REAL NOT NULL
	) STRICT;
	CREATE INDEX resultsOfRun ON result (run);
`;

/** SQLite's result codes for a damaged file and for one that is not a database. */
export const damageCodes = new Set([11, 26]);

/** In bytes; less free space counts as a full disk. */
const leastRoom = 1 << 18;

/**
 * Opens the index of a history. It is derived from the files of events, so a damaged index, or one with an older
 * schema, is made again. Throws UsageError for a newer schema.
 */
export function openIndex(directory: string): DatabaseSync {
	const file = path.join(directory, 'index.sqlite');
	try {
		return openTables(file);
	} catch (error) {
		if (error instanceof UsageError) throw error;
		if (!hasCode(error, damageCodes)) throw unusable(directory, error);
		for (const suffix of ['', '-wal', '-shm']) rmSync(`${file}${suffix}`, {force: true});
		return openTables(file);
	}
}

/** The error to throw when the index cannot be used; errors that are not SQLite's are returned unchanged. */
export function unusable(directory: string, error: unknown): unknown {
	if (error instanceof UsageError || !hasCode(error)) return error;
	const {bavail, bsize} = statfsSync(directory);
	// On a full disk, SQLite reports an I/O error when it cannot map its shared-memory file.
	if (bavail * bsize < leastRoom) return diskFull(path.join(directory, 'index.sqlite'), error);
	return new UsageError(`${path.join(directory, 'index.sqlite')} cannot be used: ${messageOf(error)}`, {cause: error});
}

/**
 * Whether this is an SQLite error, with one of `codes` if given. Only the primary result code (the low byte) counts.
 */
export function hasCode(error: unknown, codes?: ReadonlySet<number>): boolean {
	const code =
		error instanceof Error && 'errcode' in error && typeof error.errcode === 'number' && error.errcode & 0xff;
	return typeof code === 'number' && (codes?.has(code) ?? true);
}

function openTables(file: string): DatabaseSync {
	const database = new DatabaseSync(file, {timeout: 10_000});
	try {
		// With WAL, readers do not wait for the writer, and a kill leaves the last complete state.
		database.exec('PRAGMA journal_mode = WAL; PRAGMA synchronous = NORMAL');
		inTransaction(database, () => {
			const version = Number(database.prepare('PRAGMA user_version').get()!.user_version);
			if (version > indexSchema)
				throw new UsageError(
					`The history of ${file} has schema ${version}, and this probe-matrix knows ${indexSchema}: a newer version wrote it. Update, or use another directory.`,
				);
			if (version === indexSchema) {
				requireSound(database, file);
				return;
			}
			database.exec(
				'DROP TABLE IF EXISTS measurement; DROP TABLE IF EXISTS result; DROP TABLE IF EXISTS cell; DROP TABLE IF EXISTS run',
			);
			database.exec(tables);
			database.exec(`PRAGMA user_version = ${indexSchema}`);
		});
		return database;
	} catch (error) {
		database.close();
		throw error;
	}
}

/** Throws as SQLite does when it meets damage, which it may never do, or only in the middle of a report. */
function requireSound(database: DatabaseSync, file: string): void {
	const {quick_check: found} = database.prepare('PRAGMA quick_check(1)').get()!;
	if (found !== 'ok') throw Object.assign(new Error(`${file}: ${String(found)}`), {errcode: 11});
}

/** Runs `work` in an exclusive transaction; other processes wait. */
export function inTransaction<T>(database: DatabaseSync, work: () => T): T {
	database.exec('BEGIN IMMEDIATE');
	try {
		const result = work();
		database.exec('COMMIT');
		return result;
	} catch (error) {
		database.exec('ROLLBACK');
		throw error;
	}
}

import {rmSync, statfsSync} from 'node:fs';
import path from 'node:path';
import {DatabaseSync} from 'node:sqlite';
import {diskFull, messageOf, UsageError} from '../../host/errors.ts';

/** What the tables below are called by; another number, other tables. */
const indexSchema = 2;

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
		target TEXT
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
		budget REAL NOT NULL,
		value REAL NOT NULL
	) STRICT;
	CREATE INDEX resultsOfRun ON result (run);
`;

/** SQLite's codes for a file that is damaged or none of its own. */
export const damageCodes = new Set([11, 26]);

/** In bytes: less is a full disk. */
const leastRoom = 1 << 18;

/**
 * The index of a history. All of it follows from the files of events: one that is damaged, or of an older schema, is made
 * anew. Throws UsageError for one of a newer schema.
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

/** What a person is told who cannot have the index; any error that is not SQLite's is handed back as it is. */
export function unusable(directory: string, error: unknown): unknown {
	if (error instanceof UsageError || !hasCode(error)) return error;
	const {bavail, bsize} = statfsSync(directory);
	// SQLite speaks of a full disk as one that is broken where it cannot map its file of shared memory.
	if (bavail * bsize < leastRoom) return diskFull(path.join(directory, 'index.sqlite'), error);
	return new UsageError(`${path.join(directory, 'index.sqlite')} cannot be used: ${messageOf(error)}`, {cause: error});
}

/** An error of SQLite; one of those, if they are given. The codes that say more than the last byte tell are not needed. */
export function hasCode(error: unknown, codes?: ReadonlySet<number>): boolean {
	const code =
		error instanceof Error && 'errcode' in error && typeof error.errcode === 'number' && error.errcode & 0xff;
	return typeof code === 'number' && (codes?.has(code) ?? true);
}

function openTables(file: string): DatabaseSync {
	const database = new DatabaseSync(file, {timeout: 10_000});
	try {
		// Readers do not wait for the writer, and a kill at any moment leaves the last whole state.
		database.exec('PRAGMA journal_mode = WAL; PRAGMA synchronous = NORMAL');
		inTransaction(database, () => {
			const version = Number(database.prepare('PRAGMA user_version').get()!.user_version);
			if (version > indexSchema)
				throw new UsageError(
					`The history of ${file} has schema ${version}, and this probe-matrix knows ${indexSchema}: a newer version wrote it. Update, or use another directory.`,
				);
			if (version === indexSchema) return;
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

/** All or nothing, and alone: another process waits. */
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

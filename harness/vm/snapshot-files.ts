// SPDX-License-Identifier: GPL-2.0
import {readFile, rename, rm, utimes, writeFile} from 'node:fs/promises';
import path from 'node:path';
import {cacheDirectory, immutableDirectory, locked, removeUnused} from '../host/cache.ts';
import {BootError, errorCode} from '../host/errors.ts';
import type {SnapshotVmOptions} from './snapshot-fingerprint.ts';

/** Stored with a snapshot. */
export type SnapshotRecord = {
	readonly fingerprint: string;
	/** The guest's clock when it was saved, in ms. */
	readonly guestMs: number;
	/**
	 * CPU time of the host until the agent answered, in ms. Unlike the elapsed time, it hardly depends on other load.
	 */
	readonly bootCpuMs: number;
};

/** A guest that was saved before it got its identity. */
export type Snapshot = SnapshotRecord & {
	readonly directory: string;
	/** Never written to again; any number of guests share it. */
	readonly memory: string;
	readonly state: string;
	/** Options that it was booted with; restored guests need the same. */
	readonly vmOptions: SnapshotVmOptions;
};

const recordFile = 'snapshot.json';

/** Written last: without a record, a snapshot is not found. */
export async function writeRecord(directory: string, record: SnapshotRecord): Promise<void> {
	await writeFile(path.join(directory, recordFile), JSON.stringify(record, null, '\t'));
}

/**
 * The record of a snapshot with this fingerprint, or undefined. The cache's manifest verifies its files, not this
 * function.
 */
export async function readRecord(directory: string, fingerprint: string): Promise<SnapshotRecord | undefined> {
	try {
		// Only `writeRecord` writes it.
		const record = JSON.parse(await readFile(path.join(directory, recordFile), 'utf8')) as SnapshotRecord;
		return record.fingerprint === fingerprint ? record : undefined;
	} catch (error) {
		if (errorCode(error) === 'ENOENT' || error instanceof SyntaxError) return undefined;
		throw error;
	}
}

/** The snapshot in a directory if it has this fingerprint. Marks it as used. */
async function openSnapshot(
	directory: string,
	fingerprint: string,
	vmOptions: SnapshotVmOptions,
): Promise<Snapshot | undefined> {
	const record = await readRecord(directory, fingerprint);
	if (!record) return undefined;
	await noteUse(directory);
	return {
		...record,
		directory,
		memory: path.join(directory, 'memory'),
		state: path.join(directory, 'state'),
		vmOptions,
	};
}

/** Marks a snapshot as used, so that it is not removed. */
export async function noteUse(directory: string): Promise<void> {
	await utimes(directory, new Date(), new Date()).catch(() => {
		// It was removed; restoring it will fail with that.
	});
}

/** Removes a snapshot that cannot be restored although its files are intact. */
export async function discardSnapshot(directory: string): Promise<void> {
	await locked(directory, {}, () => removeSnapshot(directory));
}

/** Renames first, so that concurrent readers find either all files or none. */
async function removeSnapshot(directory: string): Promise<void> {
	const gone = `${directory}.${process.pid}.gone`;
	try {
		await rename(directory, gone);
	} catch (error) {
		// Another process has removed it.
		if (errorCode(error) === 'ENOENT') return;
		throw error;
	}
	await rm(gone, {recursive: true, force: true});
}

/**
 * Removes snapshots named `NAME-HASH` that have not been used for `unusedMs`; each takes as much disk as a guest has
 * memory.
 */
export async function forgetUnused(parent: string, name: string, unusedMs: number): Promise<void> {
	await removeUnused(parent, unusedMs, each => {
		const rest = each.startsWith(`${name}-`) ? each.slice(name.length + 1) : '';
		return /^[0-9a-f]{16}(?:\.\d+\.gone)?$/.test(rest);
	});
}

export type Obtaining = {
	/** Kernel and stage. */
	readonly name: string;
	readonly fingerprint: string;
	readonly vmOptions: SnapshotVmOptions;
	/** Other snapshots of that name are removed when unused for this long. */
	readonly unusedMs: number;
	/** See immutableDirectory. */
	readonly fleeting?: readonly string[];
	/** Writes memory, state and record into an empty directory. */
	readonly make: (directory: string) => Promise<void>;
	readonly signal?: AbortSignal | undefined;
};

/**
 * The snapshot with this fingerprint from the cache, or a new one if there is none that is intact. Throws BootError.
 */
export async function obtainSnapshot(obtaining: Obtaining): Promise<Snapshot> {
	const {name, fingerprint, vmOptions, unusedMs, fleeting = [], make, signal} = obtaining;
	const directory = path.join(cacheDirectory('snapshots'), `${name}-${fingerprint.slice(0, 16)}`);
	for (let attempt = 1; attempt <= 2; attempt++) {
		await immutableDirectory(
			directory,
			async temporary => {
				await forgetUnused(path.dirname(directory), name, unusedMs);
				await make(temporary);
			},
			{signal, fleeting},
		);
		const snapshot = await openSnapshot(directory, fingerprint, vmOptions);
		if (snapshot) return snapshot;
		await discardSnapshot(directory);
	}
	throw new BootError(`The snapshot in ${directory} cannot be restored, however often it is made.`);
}

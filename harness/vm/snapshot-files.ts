import {createHash} from 'node:crypto';
import {readFile, realpath, rename, rm, stat, utimes, writeFile} from 'node:fs/promises';
import path from 'node:path';
import {cacheDirectory, immutableDirectory, locked, removeUnused} from '../host/cache.ts';
import {BootError, errorCode} from '../host/errors.ts';
import {qemuArguments, socketNames} from '../qemu/qemu-arguments.ts';
import {machineOf, type VmOptions} from '../qemu/vm.ts';

/** What stands beside a snapshot. */
export type SnapshotRecord = {
	readonly fingerprint: string;
	/** The guest's clock when it was saved. */
	readonly guestMs: number;
	/** What the host's processors had to do until the agent answered, which a busy host does not change much. */
	readonly bootCpuMs: number;
};

/** All that decides what a booted guest is. */
export type SnapshotVmOptions = Pick<VmOptions, 'qemu' | 'kernel' | 'initramfs' | 'memoryMib' | 'accelerator'>;

/** A guest that was saved before it knew who it is. */
export type Snapshot = SnapshotRecord & {
	readonly directory: string;
	/** Never written again; any number of guests use it at once. */
	readonly memory: string;
	readonly state: string;
	/** What it was booted with, and what has to be the same for its copies. */
	readonly vmOptions: SnapshotVmOptions;
};

const recordFile = 'snapshot.json';

/** A hash of all that decides what a snapshot is; one that differs in any of it cannot be restored, or not rightly. */
export async function snapshotFingerprint(options: SnapshotVmOptions): Promise<string> {
	const {qemu, kernel} = options;
	const nowhere = Object.fromEntries(socketNames.map(name => [name, name])) as Record<
		(typeof socketNames)[number],
		string
	>;
	const machine = machineOf(options, {
		consolePath: 'console',
		gdbSocket: 'gdb',
		resetLog: 'resets',
		sockets: nowhere,
	});
	const args = qemuArguments(qemu, kernel, machine);
	// The processor decides what an accelerated guest sees, and how fast the clock of an emulated one is.
	const processor = /^model name.*$/m.exec(await readFile('/proc/cpuinfo', 'utf8'))?.[0];
	// Programs and images by their times, too: a path says nothing about what was built there since.
	const files = [...qemu.command, ...args].filter(each => each.startsWith('/'));
	const identities = await Promise.all(files.map(identityOf));
	return hashOf([1, qemu.version, qemu.command, args, processor, identities]);
}

/** The same for a copy of it into which something was pushed. */
export function loadedFingerprintOf(base: string, identity: string): string {
	return hashOf([1, base, identity]);
}

function hashOf(value: unknown): string {
	return createHash('sha256').update(JSON.stringify(value)).digest('hex');
}

async function identityOf(file: string): Promise<string> {
	try {
		const real = await realpath(file);
		const {size, mtimeMs, isDirectory} = await statOf(real);
		return isDirectory ? real : `${real} ${size} ${mtimeMs}`;
	} catch (error) {
		// A list of directories, such as the loader's.
		if (errorCode(error) === 'ENOENT') return file;
		throw error;
	}
}

async function statOf(file: string): Promise<{size: number; mtimeMs: number; isDirectory: boolean}> {
	const {size, mtimeMs, ...rest} = await stat(file);
	return {size, mtimeMs, isDirectory: (rest.mode & 0o170000) === 0o040000};
}

/** The last of its files: without it a snapshot is not found. */
export async function writeRecord(directory: string, record: SnapshotRecord): Promise<void> {
	await writeFile(path.join(directory, recordFile), JSON.stringify(record, null, '\t'));
}

/** Nothing unless there is a snapshot of that fingerprint. That its files are whole is the cache's matter. */
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

/** The snapshot in that directory, if there is one of that fingerprint; notes that it is of use. */
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

/** Keeps it from being removed as unused. */
export async function noteUse(directory: string): Promise<void> {
	await utimes(directory, new Date(), new Date()).catch(() => {
		// It is gone; who restores it is told so.
	});
}

/** For one whose copies are of no use though all its files are whole. */
export async function discardSnapshot(directory: string): Promise<void> {
	await locked(directory, {}, () => removeSnapshot(directory));
}

/** Not file by file: whoever opens it now finds all of it or nothing. */
async function removeSnapshot(directory: string): Promise<void> {
	const gone = `${directory}.${process.pid}.gone`;
	try {
		await rename(directory, gone);
	} catch (error) {
		// Somebody else was quicker.
		if (errorCode(error) === 'ENOENT') return;
		throw error;
	}
	await rm(gone, {recursive: true, force: true});
}

/** Removes those named `NAME-` and a hash that were not used for so long; each takes as much disk as a guest memory. */
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
	/** How long others of that name are kept that nobody uses. */
	readonly unusedMs: number;
	/** See immutableDirectory. */
	readonly fleeting?: readonly string[];
	/** Puts memory, state and record into an empty directory. */
	readonly make: (directory: string) => Promise<void>;
	readonly signal?: AbortSignal | undefined;
};

/** The snapshot of that fingerprint from the cache, made if there is none that is whole. */
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

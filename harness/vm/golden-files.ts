import {createHash} from 'node:crypto';
import {readdir, readFile, realpath, rename, rm, stat, writeFile} from 'node:fs/promises';
import path from 'node:path';
import {errorCode} from '../host/errors.ts';
import type {GoldenVmOptions} from './golden.ts';
import {qemuArguments, socketNames} from './qemu-arguments.ts';
import {machineOf} from './vm.ts';

/** What stands beside a saved guest. */
export type GoldenRecord = {
	readonly fingerprint: string;
	/** The guest's clock when it was saved. */
	readonly guestMs: number;
	/** What the host's processors had to do until the agent answered, which a busy host does not change much. */
	readonly bootCpuMs: number;
};

const recordFile = 'golden.json';

/** A hash of all that decides what a saved guest is; one that differs in any of it cannot be restored, or not rightly. */
export async function fingerprintOf(options: GoldenVmOptions): Promise<string> {
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
	return createHash('sha256')
		.update(JSON.stringify([1, qemu.version, qemu.command, args, processor, identities]))
		.digest('hex');
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

/** The last of its files: without it a saved guest is not found. */
export async function writeRecord(directory: string, record: GoldenRecord): Promise<void> {
	await writeFile(path.join(directory, recordFile), JSON.stringify(record, null, '\t'));
}

/** Nothing unless there is a saved guest of that fingerprint. That its files are whole is the cache's matter. */
export async function readRecord(directory: string, fingerprint: string): Promise<GoldenRecord | undefined> {
	try {
		// Only `writeRecord` writes it.
		const record = JSON.parse(await readFile(path.join(directory, recordFile), 'utf8')) as GoldenRecord;
		return record.fingerprint === fingerprint ? record : undefined;
	} catch (error) {
		if (errorCode(error) === 'ENOENT' || error instanceof SyntaxError) return undefined;
		throw error;
	}
}

/** Not file by file: whoever opens it now finds all of it or nothing. */
export async function removeGolden(directory: string): Promise<void> {
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

/** A run of the matrix opens its golden guest each time it restores it. */
const unusedMs = 60 * 60_000;

/** Removes what other builds of ours have left of this kernel; each takes as much disk as a guest has memory. */
export async function forgetUnused(parent: string, kernelName: string): Promise<void> {
	for (const name of await readdir(parent)) {
		const rest = name.startsWith(`${kernelName}-`) ? name.slice(kernelName.length + 1) : '';
		if (!/^[0-9a-f]{16}(?:\.\d+\.gone)?$/.test(rest)) continue;
		const directory = path.join(parent, name);
		const {mtimeMs} = await stat(directory).catch(() => ({mtimeMs: Number.NaN}));
		if (Date.now() - mtimeMs > unusedMs) await rm(directory, {recursive: true, force: true});
	}
}

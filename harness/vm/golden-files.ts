import {createHash} from 'node:crypto';
import {createReadStream} from 'node:fs';
import {readdir, readFile, realpath, rename, rm, stat, writeFile} from 'node:fs/promises';
import path from 'node:path';
import {crc32} from 'node:zlib';
import {errorCode} from '../host/errors.ts';
import type {GoldenVmOptions} from './golden.ts';
import {qemuArguments, socketNames} from './qemu-arguments.ts';
import {machineOf} from './vm.ts';

/** What stands beside a saved guest; it is whole where everything in it holds. */
export type GoldenRecord = {
	readonly fingerprint: string;
	readonly guestMs: number;
	readonly bootMs: number;
	readonly sums: Readonly<Record<string, number>>;
};

const recordFile = 'golden.json';
const summedFiles = ['memory', 'state'] as const;

/** A hash of all that decides what a saved guest is; one that differs in any of it cannot be restored, or not rightly. */
export async function fingerprintOf(options: GoldenVmOptions): Promise<string> {
	const {qemu, kernel} = options;
	const nowhere = Object.fromEntries(socketNames.map(name => [name, name])) as Record<
		(typeof socketNames)[number],
		string
	>;
	const machine = machineOf(options, {consolePath: 'console', gdbSocket: 'gdb', sockets: nowhere});
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

/** Makes the files in `directory` a saved guest that `readRecord` accepts. */
export async function writeRecord(directory: string, record: Omit<GoldenRecord, 'sums'>): Promise<void> {
	const sums = await sumsOf(directory);
	await writeFile(path.join(directory, recordFile), JSON.stringify({...record, sums}, null, '\t'));
}

/** Nothing unless the saved guest has that fingerprint and no bit of its files has changed. */
export async function readRecord(directory: string, fingerprint: string): Promise<GoldenRecord | undefined> {
	try {
		// Only `writeRecord` writes it.
		const record = JSON.parse(await readFile(path.join(directory, recordFile), 'utf8')) as GoldenRecord;
		if (record.fingerprint !== fingerprint) return undefined;
		const sums = await sumsOf(directory);
		return summedFiles.every(name => sums[name] === record.sums[name]) ? record : undefined;
	} catch (error) {
		if (errorCode(error) === 'ENOENT' || error instanceof SyntaxError) return undefined;
		throw error;
	}
}

async function sumsOf(directory: string): Promise<Record<string, number>> {
	const sums = summedFiles.map(async name => [name, await sumOf(path.join(directory, name))] as const);
	return Object.fromEntries(await Promise.all(sums));
}

/** Against damage, not against malice: whoever can write there can as well write our programs. */
async function sumOf(file: string): Promise<number> {
	let sum = 0;
	for await (const chunk of createReadStream(file, {highWaterMark: 1 << 20})) sum = crc32(chunk as Buffer, sum);
	return sum;
}

/** Not file by file: whoever opens it now finds all of it or nothing. */
export async function removeGolden(directory: string): Promise<void> {
	const gone = `${directory}.${process.pid}.gone`;
	await rename(directory, gone);
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

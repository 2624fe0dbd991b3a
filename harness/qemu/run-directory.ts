// SPDX-License-Identifier: GPL-2.0
import {mkdirSync, readFileSync} from 'node:fs';
import {lstat, mkdir, mkdtemp, readdir, rm, stat, writeFile} from 'node:fs/promises';
import {tmpdir} from 'node:os';
import path from 'node:path';
import {UsageError} from '../host/errors.ts';
import {identityOf, isAlive, type ProcessIdentity} from '../host/process.ts';

/** Sockets, console and keys of one running VM. It is removed with its owner, at the latest when the next VM starts. */
export class RunDirectory implements AsyncDisposable {
	readonly path: string;

	static async create(base: string = baseDirectory()): Promise<RunDirectory> {
		await mkdir(base, {recursive: true, mode: 0o700});
		// Any user may create directories in /tmp, and this one will hold keys.
		const {uid, mode} = await lstat(base);
		if (uid !== process.getuid?.() || (mode & 0o022) !== 0) {
			throw new UsageError(
				`${base} belongs to another user or is writable by others; remove it or set XDG_RUNTIME_DIR.`,
			);
		}
		await sweep(base);
		const directory = await mkdtemp(path.join(base, 'vm-'));
		await writeFile(path.join(directory, 'owner.json'), JSON.stringify(identityOf(process.pid)));
		return new RunDirectory(directory);
	}

	private constructor(directory: string) {
		this.path = directory;
	}

	file(name: string): string {
		return path.join(this.path, name);
	}

	/** A disposer never throws: the next run sweeps what could not be removed. */
	async [Symbol.asyncDispose](): Promise<void> {
		await rm(this.path, {recursive: true, force: true}).catch(() => {});
	}
}

/**
 * Below $XDG_RUNTIME_DIR, which is private, in memory and short (socket paths are limited to 107 bytes); else below
 * /tmp.
 */
function baseDirectory(): string {
	const {XDG_RUNTIME_DIR: runtime} = process.env;
	const wanted = runtime
		? path.join(runtime, 'probe-matrix')
		: path.join(tmpdir(), `probe-matrix-${process.getuid?.() ?? 0}`);
	try {
		mkdirSync(wanted, {recursive: true, mode: 0o700});
		return wanted;
	} catch {
		return path.join(tmpdir(), `probe-matrix-${process.getuid?.() ?? 0}`);
	}
}

/** Removes directories whose owners are gone. */
async function sweep(base: string): Promise<void> {
	for (const name of await readdir(base).catch(() => [])) {
		const directory = path.join(base, name);
		if (name.startsWith('vm-') && (await isAbandoned(directory)))
			await rm(directory, {recursive: true, force: true}).catch(() => {});
	}
}

async function isAbandoned(directory: string): Promise<boolean> {
	try {
		// Only `create` writes this file.
		return !isAlive(JSON.parse(readFileSync(path.join(directory, 'owner.json'), 'utf8')) as ProcessIdentity);
	} catch {
		// No owner yet: it may be written right now, unless the directory is old.
		const made = await stat(directory).catch(() => undefined);
		return made !== undefined && Date.now() - made.mtimeMs > 60_000;
	}
}

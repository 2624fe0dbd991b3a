// SPDX-License-Identifier: GPL-2.0
import {randomBytes} from 'node:crypto';
import {chmod, copyFile, mkdir, rename, rm} from 'node:fs/promises';
import path from 'node:path';
import type {BootFiles} from '../build/guest-build.ts';
import {cacheDirectory, removeUnused} from '../host/cache.ts';
import {requireSpace} from '../host/disk-space.ts';
import {obtainBase, type SnapshotOptions} from './base-snapshot.ts';
import {Instance} from './instance.ts';
import type {Snapshot} from './snapshot-files.ts';

const prefix = '.loading-';

/** No loader lives this long: an older directory was left by a process that was killed. */
const abandonedMs = 15 * 60_000;

/** A guest restored from a base, connected and ready for the push. Its memory is a file of its own. */
export class Loader implements AsyncDisposable {
	readonly base: Snapshot;
	readonly guest: Instance;
	readonly #directory: string;
	readonly #resources: AsyncDisposableStack;

	static async start(files: BootFiles, options: SnapshotOptions): Promise<Loader> {
		const {signal} = options;
		const base = await obtainBase(files, options);
		await using resources = new AsyncDisposableStack();
		const parent = cacheDirectory('snapshots');
		await removeUnused(parent, abandonedMs, name => name.startsWith(prefix));
		const directory = path.join(parent, `${prefix}${randomBytes(6).toString('hex')}`);
		await mkdir(directory, {mode: 0o700});
		resources.defer(() => rm(directory, {recursive: true, force: true}));
		await requireSpace(directory, base.vmOptions.memoryMib * 2 ** 20, 'a snapshot');
		const memory = path.join(directory, 'memory');
		await copyFile(base.memory, memory);
		await chmod(memory, 0o600);
		const guest = resources.use(await Instance.restore(base, {signal, writesTo: memory}));
		await guest.vm.whileItComesUp(guest.link({signal}), {signal, deadlineMs: 60_000});
		return new Loader({base, guest, directory}, resources.move());
	}

	private constructor(
		{base, guest, directory}: {base: Snapshot; guest: Instance; directory: string},
		resources: AsyncDisposableStack,
	) {
		this.base = base;
		this.guest = guest;
		this.#directory = directory;
		this.#resources = resources;
	}

	/** Moves its memory file. The guest must have been saved, so that it no longer writes. */
	async moveMemory(to: string): Promise<void> {
		await rename(path.join(this.#directory, 'memory'), to);
	}

	async [Symbol.asyncDispose](): Promise<void> {
		await this.#resources.disposeAsync();
	}
}

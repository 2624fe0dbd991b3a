// SPDX-License-Identifier: GPL-2.0
import type {GuestBuild} from '../build/guest-build.ts';
import {BootError, messageOf, NeverBootedError} from '../host/errors.ts';
import {say} from '../host/say.ts';
import type {VmOptions} from '../qemu/vm.ts';
import {obtainBase} from '../vm/base-snapshot.ts';
import {Instance} from '../vm/instance.ts';
import type {Pushed} from '../vm/load-suite.ts';
import {type LoadedOptions, obtainLoaded} from '../vm/loaded-snapshot.ts';
import {discardSnapshot, type Snapshot} from '../vm/snapshot-files.ts';
import {adaptGuest, bootGuest} from './boot-guest.ts';
import type {Guest} from './guest.ts';
import type {Isolation} from './isolation.ts';
import type {MemorySaver} from './memory-saver.ts';

export type GuestPoolOptions = Pick<VmOptions, 'accelerator' | 'signal'> &
	Pick<LoadedOptions, 'loader'> & {
		readonly isolation: Isolation;
		/** Saves the memory of guests that crash or hang; without it, none is saved. */
		readonly memories?: MemorySaver | undefined;
		/** Returns a new path for the console of the next guest. */
		readonly consolePath: () => string;
		/** Called when the suite has been pushed: once if guests are restored from a snapshot, else for each guest. */
		readonly onPushed?: (pushed: Pushed) => void;
	};

/** Longest time to restore a guest on an idle host without KVM. */
const usualRestoreMs = 400;

/** CPU time to boot a guest whose kernel has no debugging options. */
const usualBootCpuMs = 4000;

/** How much longer things take than on an idle host with a usual kernel: a host can be busy, and a kernel slow. */
export function slownessOf({readyMs}: Pick<Instance, 'readyMs'>, {bootCpuMs}: Pick<Snapshot, 'bootCpuMs'>): number {
	return Math.max(1, readyMs / usualRestoreMs) * Math.max(1, bootCpuMs / usualBootCpuMs);
}

/**
 * Returns a function that gives fresh guests of one kernel with the suite loaded. The first call makes or finds the
 * snapshot.
 */
export function guestPool(guestBuild: GuestBuild, options: GuestPoolOptions): () => Promise<Guest> {
	const {isolation, consolePath, signal, memories} = options;
	if (isolation === 'reboot') return () => bootGuest(guestBuild, {...options, consolePath: consolePath()});
	let loaded: Promise<Snapshot> | undefined;

	const restore = async (): Promise<Guest> => {
		loaded ??= obtainLoaded(guestBuild, options);
		const snapshot = await loaded;
		const guest = await Instance.restore(snapshot, {signal, consolePath: consolePath()});
		return adaptGuest(guest, guestBuild, {slowness: slownessOf(guest, snapshot), memories, signal});
	};

	return async () => {
		// The snapshot may have been removed or changed, or may be intact but unusable: try again, then with a new one.
		for (const repair of [forget, discard]) {
			try {
				return await restore();
			} catch (error) {
				signal?.throwIfAborted();
				if (!(error instanceof BootError) || error instanceof NeverBootedError) throw error;
				say(`could not restore the snapshot: ${messageOf(error).split('\n')[0]}`);
				await repair();
			}
		}
		return restore();
	};

	async function forget(): Promise<void> {
		loaded = undefined;
	}

	/** Discards the loaded snapshot, or if not even that can be made, its base. */
	async function discard(): Promise<void> {
		const bad = (await loaded?.catch(() => undefined)) ?? (await obtainBase(guestBuild, options));
		loaded = undefined;
		await discardSnapshot(bad.directory);
	}
}

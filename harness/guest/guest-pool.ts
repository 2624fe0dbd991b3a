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

export type GuestPoolOptions = Pick<VmOptions, 'accelerator' | 'signal'> &
	Pick<LoadedOptions, 'loader'> & {
		readonly isolation: Isolation;
		/** A new file for the console of the next guest. */
		readonly consolePath: () => string;
		/** Called when the suite was pushed into a guest: once where guests are copies of it, else for each. */
		readonly onPushed?: (pushed: Pushed) => void;
	};

/** What a host without acceleration takes at most to restore a guest, unless it is busy. */
const usualRestoreMs = 400;

/** What the processors have to do to boot a guest without debugging aids. */
const usualBootCpuMs = 4000;

/** Gives fresh guests of one kernel with the suite in them; the saved one is looked up, or made, at the first. */
export function guestPool(guestBuild: GuestBuild, options: GuestPoolOptions): () => Promise<Guest> {
	const {isolation, consolePath, signal} = options;
	if (isolation === 'reboot') return () => bootGuest(guestBuild, {...options, consolePath: consolePath()});
	let loaded: Promise<Snapshot> | undefined;

	const restore = async (): Promise<Guest> => {
		loaded ??= obtainLoaded(guestBuild, options);
		const snapshot = await loaded;
		const guest = await Instance.restore(snapshot, {signal, consolePath: consolePath()});
		const slowness = Math.max(1, guest.readyMs / usualRestoreMs) * Math.max(1, snapshot.bootCpuMs / usualBootCpuMs);
		return adaptGuest(guest, guestBuild, {slowness});
	};

	return async () => {
		// Somebody may have removed what was there a moment ago, or changed it; and what is whole may yet be of no use.
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

	/** The loaded one, or where that cannot even be made, what it is made from. */
	async function discard(): Promise<void> {
		const bad = (await loaded?.catch(() => undefined)) ?? (await obtainBase(guestBuild, options));
		loaded = undefined;
		await discardSnapshot(bad.directory);
	}
}

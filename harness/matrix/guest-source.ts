import type {Payload} from '../build/payload.ts';
import {BootError, messageOf} from '../host/errors.ts';
import {say} from '../host/say.ts';
import {discardGolden, type Golden, obtainGolden} from '../vm/golden.ts';
import {Guest as VmGuest} from '../vm/guest.ts';
import type {VmOptions} from '../vm/vm.ts';
import {bootGuest, engineGuest} from './boot-guest.ts';
import type {Guest} from './guest.ts';
import type {Isolation} from './isolation.ts';

export type GuestSourceOptions = Pick<VmOptions, 'accelerator' | 'signal'> & {
	readonly isolation: Isolation;
	/** A new file for the console of the next guest. */
	readonly consolePath: () => string;
};

/** What a host without acceleration takes at most to restore a guest, unless it is busy. */
const usualRestoreMs = 400;

/** What the processors have to do to boot a guest without debugging aids. */
const usualBootCpuMs = 4000;

/** Gives fresh guests of one kernel; its golden guest is looked up, or made, at the first. */
export function guestSource(payload: Payload, options: GuestSourceOptions): () => Promise<Guest> {
	const {isolation, consolePath, signal} = options;
	if (isolation === 'reboot') return () => bootGuest(payload, {...options, consolePath: consolePath()});
	let golden: Promise<Golden> | undefined;

	const restore = async (): Promise<Guest> => {
		golden ??= obtainGolden(payload, options);
		const guest = await VmGuest.restore(await golden, {signal, consolePath: consolePath()});
		const {bootCpuMs} = await golden;
		const slowness = Math.max(1, guest.readyMs / usualRestoreMs) * Math.max(1, bootCpuMs / usualBootCpuMs);
		return engineGuest(guest, payload, {slowness});
	};

	return async () => {
		// Somebody may have removed what was there a moment ago, or changed it; and what is whole may yet be of no use.
		for (const repair of [forget, discard]) {
			try {
				return await restore();
			} catch (error) {
				signal?.throwIfAborted();
				if (!(error instanceof BootError)) throw error;
				say(`a copy of the saved guest is of no use (${messageOf(error).split('\n')[0]}).`);
				await repair();
			}
		}
		return restore();
	};

	async function forget(): Promise<void> {
		golden = undefined;
	}

	async function discard(): Promise<void> {
		const bad = await golden;
		golden = undefined;
		if (bad) await discardGolden(bad);
	}
}

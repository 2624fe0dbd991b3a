// SPDX-License-Identifier: GPL-2.0
import {builtInOptions} from './built-in.ts';
import type {Kernel} from './kernel.ts';

/** Memory of a guest in MiB. KASAN needs more: one shadow byte per eight bytes, and a quarantine of freed objects. */
export async function guestMemoryMib(kernel: Pick<Kernel, 'config'>): Promise<number> {
	return (await builtInOptions(kernel)).has('CONFIG_KASAN') ? 1024 : 256;
}

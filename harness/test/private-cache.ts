// SPDX-License-Identifier: GPL-2.0
import {cp} from 'node:fs/promises';
import path from 'node:path';
import {cacheDirectory} from '../host/cache.ts';
import {findQemu} from '../host/qemu.ts';
import {freshCache} from './fresh-cache.ts';

export type PrivateCache = {remove(): Promise<void>};

/**
 * Gives this process a cache of its own, so that tests can damage snapshots while others use those of the shared cache.
 * It knows where QEMU is.
 */
export async function privateCache(): Promise<PrivateCache> {
	await findQemu();
	const memo = path.join(cacheDirectory('kernels'), 'host-qemu.json');
	const cache = await freshCache();
	// The file does not exist if the host's QEMU is new enough.
	await cp(memo, path.join(cacheDirectory('kernels'), 'host-qemu.json')).catch(() => {});
	return {remove: async () => cache[Symbol.asyncDispose]()};
}

// SPDX-License-Identifier: GPL-2.0
import {cp, mkdtempDisposable} from 'node:fs/promises';
import {tmpdir} from 'node:os';
import path from 'node:path';
import {cacheDirectory} from '../host/cache.ts';
import {findQemu} from '../host/qemu.ts';

export type PrivateCache = {remove(): Promise<void>};

/**
 * Gives this process a cache of its own, so that tests can damage snapshots while others use those of the shared cache.
 * It knows where QEMU is.
 */
export async function privateCache(): Promise<PrivateCache> {
	await findQemu();
	const memo = path.join(cacheDirectory('kernels'), 'host-qemu.json');
	const directory = await mkdtempDisposable(path.join(tmpdir(), 'snapshot-'));
	process.env.PROBE_MATRIX_CACHE = directory.path;
	// The file does not exist if the host's QEMU is new enough.
	await cp(memo, path.join(cacheDirectory('kernels'), 'host-qemu.json')).catch(() => {});
	return directory;
}

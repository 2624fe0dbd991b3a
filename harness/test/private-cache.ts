import {cp, mkdtempDisposable} from 'node:fs/promises';
import {tmpdir} from 'node:os';
import path from 'node:path';
import {cacheDirectory} from '../host/cache.ts';
import {findQemu} from '../host/qemu.ts';

export type PrivateCache = {remove(): Promise<void>};

/**
 * For tests: the cache of this process from now on, whose snapshots may be harmed while others restore those of the
 * usual one. It knows where QEMU is.
 */
export async function privateCache(): Promise<PrivateCache> {
	await findQemu();
	const memo = path.join(cacheDirectory('kernels'), 'host-qemu.json');
	const directory = await mkdtempDisposable(path.join(tmpdir(), 'snapshot-'));
	process.env.PROBE_MATRIX_CACHE = directory.path;
	// A host with a QEMU that is new enough has no such file.
	await cp(memo, path.join(cacheDirectory('kernels'), 'host-qemu.json')).catch(() => {});
	return directory;
}

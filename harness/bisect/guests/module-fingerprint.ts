import {createHash} from 'node:crypto';
import {createReadStream} from 'node:fs';
import path from 'node:path';
import {pipeline} from 'node:stream/promises';
import {readBareModule} from '../../build/bare-module.ts';
import type {GuestBuild} from '../../build/guest-build.ts';

/**
 * Of kernel and modules, as far as a guest runs them, and of what the predicate was made into for this kernel; all else
 * in a guest is the same for all candidates.
 */
export async function moduleFingerprint(
	{kernel, modules: {bprobe, fixtures}}: GuestBuild,
	predicate: string,
): Promise<string> {
	const hash = createHash('sha256');
	await pipeline(createReadStream(kernel.bzImage), hash, {end: false});
	return hash
		.update(await hashModules([bprobe, fixtures]))
		.update(predicate)
		.digest('hex');
}

/** The same for modules that do the same. */
export async function hashModules(modules: readonly string[]): Promise<string> {
	const hash = createHash('sha256');
	for (const module of modules) hash.update(`${path.basename(module)}\0`).update(await readBareModule(module));
	return hash.digest('hex');
}

// SPDX-License-Identifier: GPL-2.0
import {createHash} from 'node:crypto';
import {createReadStream} from 'node:fs';
import path from 'node:path';
import {pipeline} from 'node:stream/promises';
import {readBareModule} from '../../build/bare-module.ts';
import type {GuestBuild} from '../../build/guest-build.ts';

/**
 * Hash of the kernel, of the modules without the parts that do not run, and of `predicate` (what the predicate was
 * built into for this kernel). Everything else in a guest is the same for all candidates.
 */
export async function moduleFingerprint({kernel, modules}: GuestBuild, predicate: string): Promise<string> {
	const hash = createHash('sha256');
	await pipeline(createReadStream(kernel.bzImage), hash, {end: false});
	return hash
		.update(await hashModules(modules.map(({file}) => file)))
		.update(predicate)
		.digest('hex');
}

/** Equal for modules that behave the same; see readBareModule. */
export async function hashModules(modules: readonly string[]): Promise<string> {
	const hash = createHash('sha256');
	for (const module of modules) hash.update(`${path.basename(module)}\0`).update(await readBareModule(module));
	return hash.digest('hex');
}

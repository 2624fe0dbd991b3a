import {createHash} from 'node:crypto';
import {createReadStream} from 'node:fs';
import path from 'node:path';
import {pipeline} from 'node:stream/promises';
import {readBareModule} from '../build/bare-module.ts';
import type {Payload} from '../build/payload.ts';

/**
 * Of kernel and modules, as far as a guest runs them, and of what the question was made into for this kernel; all else
 * in a guest is the same for all subjects.
 */
export async function fingerprintOf({kernel, modules: {bprobe, fixtures}}: Payload, question: string): Promise<string> {
	const hash = createHash('sha256');
	await pipeline(createReadStream(kernel.bzImage), hash, {end: false});
	return hash
		.update(await hashModules([bprobe, fixtures]))
		.update(question)
		.digest('hex');
}

/** The same for modules that do the same. */
export async function hashModules(modules: readonly string[]): Promise<string> {
	const hash = createHash('sha256');
	for (const module of modules) hash.update(`${path.basename(module)}\0`).update(await readBareModule(module));
	return hash.digest('hex');
}

import {createHash} from 'node:crypto';
import {createReadStream} from 'node:fs';
import {mkdtempDisposable} from 'node:fs/promises';
import {tmpdir} from 'node:os';
import path from 'node:path';
import {pipeline} from 'node:stream/promises';
import {execa} from 'execa';
import type {Payload} from '../build/payload.ts';

/**
 * Of kernel and modules, as far as a guest runs them, and of what the question was made into for this kernel; all else
 * in a guest is the same for all subjects.
 */
export async function fingerprintOf({kernel, bprobe, fixtures}: Payload, question: string): Promise<string> {
	const hash = createHash('sha256');
	await pipeline(createReadStream(kernel.bzImage), hash, {end: false});
	return hash
		.update(await hashModules([bprobe, fixtures]))
		.update(question)
		.digest('hex');
}

/** The same for modules that do the same. */
export async function hashModules(modules: readonly string[]): Promise<string> {
	await using work = await mkdtempDisposable(path.join(tmpdir(), 'probe-matrix-'));
	const hash = createHash('sha256');
	for (const module of modules) {
		// Debug information, and the id made from it, name the directory that the kernel was built in.
		const bare = path.join(work.path, path.basename(module));
		await execa('objcopy', ['--strip-debug', '--remove-section', '.note.gnu.build-id', module, bare]);
		hash.update(`${path.basename(module)}\0`);
		await pipeline(createReadStream(bare), hash, {end: false});
	}
	return hash.digest('hex');
}

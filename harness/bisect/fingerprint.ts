import {createHash} from 'node:crypto';
import {createReadStream} from 'node:fs';
import {mkdtempDisposable} from 'node:fs/promises';
import {tmpdir} from 'node:os';
import path from 'node:path';
import {pipeline} from 'node:stream/promises';
import {execa} from 'execa';
import type {Payload} from '../build/payload.ts';

/** Of kernel and modules, as far as a guest runs them; all else in a guest is the same for all subjects. */
export async function fingerprintOf({kernel, bprobe, fixtures}: Payload): Promise<string> {
	await using work = await mkdtempDisposable(path.join(tmpdir(), 'probe-matrix-'));
	const hash = createHash('sha256');
	const add = async (file: string) => pipeline(createReadStream(file), hash, {end: false});
	await add(kernel.bzImage);
	for (const module of [bprobe, fixtures]) {
		// Debug information, and the id made from it, name the directory that the kernel was built in.
		const bare = path.join(work.path, path.basename(module));
		await execa('objcopy', ['--strip-debug', '--remove-section', '.note.gnu.build-id', module, bare]);
		await add(bare);
	}
	return hash.digest('hex');
}

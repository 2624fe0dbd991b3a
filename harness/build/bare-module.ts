import {mkdtempDisposable, readFile} from 'node:fs/promises';
import {tmpdir} from 'node:os';
import path from 'node:path';
import {execa} from 'execa';

/**
 * A module without its debug information and the id made from it, which name the directory that it was built in: what is
 * the same does the same. It is a tenth of the whole, which guests would keep in memory twice.
 */
export async function readBareModule(file: string): Promise<Buffer> {
	await using work = await mkdtempDisposable(path.join(tmpdir(), 'probe-matrix-'));
	const bare = path.join(work.path, path.basename(file));
	await execa('objcopy', ['--strip-debug', '--remove-section', '.note.gnu.build-id', file, bare]);
	return readFile(bare);
}

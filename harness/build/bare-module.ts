// SPDX-License-Identifier: GPL-2.0
import {existsSync} from 'node:fs';
import {mkdtempDisposable, readFile} from 'node:fs/promises';
import {tmpdir} from 'node:os';
import path from 'node:path';
import {programs} from '../host/programs.ts';

/** A build ended well without making what it was for. */
export class NotMadeError extends Error {
	override readonly name = 'NotMadeError';
}

/**
 * A module without debug information and build id. Both depend on the build directory, so modules that behave the same
 * would differ. The result is a tenth of the size, which matters because a guest holds it in memory twice. Throws
 * NotMadeError.
 */
export async function readBareModule(file: string): Promise<Buffer> {
	if (!existsSync(file)) throw new NotMadeError(path.basename(file));
	await using work = await mkdtempDisposable(path.join(tmpdir(), 'probe-matrix-'));
	const bare = path.join(work.path, path.basename(file));
	await programs()('objcopy', ['--strip-debug', '--remove-section', '.note.gnu.build-id', file, bare]);
	// The directory is removed when this function ends.
	return await readFile(bare);
}

// SPDX-License-Identifier: GPL-2.0
import {mkdtempDisposable} from 'node:fs/promises';
import {tmpdir} from 'node:os';
import path from 'node:path';

/** An empty cache until it is disposed of. PROBE_MATRIX_CACHE is global, so tests with one are serial. */
export async function freshCache(): Promise<AsyncDisposable & {readonly path: string}> {
	const directory = await mkdtempDisposable(path.join(tmpdir(), 'cache-'));
	const before = process.env.PROBE_MATRIX_CACHE;
	process.env.PROBE_MATRIX_CACHE = directory.path;
	return {
		path: directory.path,
		async [Symbol.asyncDispose]() {
			if (before === undefined) delete process.env.PROBE_MATRIX_CACHE;
			else process.env.PROBE_MATRIX_CACHE = before;
			await directory.remove();
		},
	};
}

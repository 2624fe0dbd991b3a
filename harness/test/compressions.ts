// SPDX-License-Identifier: GPL-2.0
import {gzipSync, zstdCompressSync} from 'node:zlib';
import {execaSync} from 'execa';

/** What compresses a file, by the end of its name; '' leaves it as it is. */
export const compressions: Readonly<Record<string, (data: Buffer) => Uint8Array>> = {
	'': data => data,
	'.gz': gzipSync,
	'.zst': zstdCompressSync,
	'.xz': data => execaSync('xz', ['-c'], {input: data, encoding: 'buffer'}).stdout,
};

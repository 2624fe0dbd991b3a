// SPDX-License-Identifier: GPL-2.0
import {mkdtempDisposable, writeFile} from 'node:fs/promises';
import {tmpdir} from 'node:os';
import path from 'node:path';
import test from 'ava';
import {guestMemoryMib} from './memory.ts';

const configs = {
	'CONFIG_KASAN=y\nCONFIG_KASAN_INLINE=y\n': 1024,
	'# CONFIG_KASAN is not set\nCONFIG_HAVE_ARCH_KASAN=y\n': 256,
};
for (const [text, mib] of Object.entries(configs)) {
	test(`a kernel with ${text.split('\n')[0]} gets ${mib} MiB`, async t => {
		await using directory = await mkdtempDisposable(path.join(tmpdir(), 'memory-'));
		const config = path.join(directory.path, 'config');
		await writeFile(config, text);
		t.is(await guestMemoryMib({config}), mib);
	});
}

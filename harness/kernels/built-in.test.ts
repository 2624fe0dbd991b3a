// SPDX-License-Identifier: GPL-2.0
import {mkdtempDisposable, rm, writeFile} from 'node:fs/promises';
import {tmpdir} from 'node:os';
import path from 'node:path';
import test from 'ava';
import {builtInOptions} from './built-in.ts';

test('only options set to y are built in, and the file is read once', async t => {
	await using directory = await mkdtempDisposable(path.join(tmpdir(), 'built-in-'));
	const config = path.join(directory.path, 'config');
	await writeFile(config, 'CONFIG_A=y\nCONFIG_B=m\n# CONFIG_C is not set\nCONFIG_D="y"\nCONFIG_E=y\n');
	const kernel = {config};
	t.deepEqual([...(await builtInOptions(kernel))], ['CONFIG_A', 'CONFIG_E']);
	await rm(config);
	t.is((await builtInOptions(kernel)).size, 2);
});

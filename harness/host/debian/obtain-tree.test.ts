// SPDX-License-Identifier: GPL-2.0
import {mkdtempDisposable} from 'node:fs/promises';
import {tmpdir} from 'node:os';
import path from 'node:path';
import test from 'ava';
import {cacheDirectory, immutableDirectory} from '../cache.ts';
import {writeCached} from '../json-cache.ts';
import {obtainTree} from './obtain-tree.ts';

test.serial('a tree is taken from the cache only for the same packages and recipe', async t => {
	await using directory = await mkdtempDisposable(path.join(tmpdir(), 'tree-'));
	const {PROBE_MATRIX_CACHE: before} = process.env;
	process.env.PROBE_MATRIX_CACHE = directory.path;
	t.teardown(() => {
		if (before === undefined) delete process.env.PROBE_MATRIX_CACHE;
		else process.env.PROBE_MATRIX_CACHE = before;
	});
	const root = await immutableDirectory(path.join(cacheDirectory('trees'), 'one'), async () => {});
	const list = {suites: [], roots: ['one']};
	const wanted = JSON.stringify({...list, skip: undefined, recipe: '1'});
	await writeCached(path.join(cacheDirectory('kernels'), 'one.tree.json'), {root, wanted});
	const fetched = async () => {
		throw new Error('fetched');
	};
	const obtain = (packages: readonly string[], recipe: string) =>
		obtainTree('one', {...list, roots: packages}, {recipe, onFetch: fetched});
	t.is(await obtain(['one'], '1'), root);
	await t.throwsAsync(obtain(['one', 'two'], '1'), {message: 'fetched'});
	await t.throwsAsync(obtain(['one'], '2'), {message: 'fetched'});
});

// SPDX-License-Identifier: GPL-2.0
import path from 'node:path';
import test from 'ava';
import {freshCache} from '../../test/fresh-cache.ts';
import {cacheDirectory, immutableDirectory} from '../cache.ts';
import {writeCached} from '../json-cache.ts';
import {obtainTree} from './obtain-tree.ts';

test.serial('a tree is taken from the cache only for the same packages and recipe', async t => {
	await using _ = await freshCache();
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

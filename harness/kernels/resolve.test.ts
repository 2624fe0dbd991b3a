// SPDX-License-Identifier: GPL-2.0
import {mkdir, mkdtempDisposable, writeFile} from 'node:fs/promises';
import {tmpdir} from 'node:os';
import path from 'node:path';
import test, {type ExecutionContext} from 'ava';
import {UsageError} from '../host/errors.ts';
import {writeCached} from '../host/json-cache.ts';
import {cacheKernel} from '../test/cached-kernel.ts';
import {freshCache} from '../test/fresh-cache.ts';
import {resolveKernel} from './resolve.ts';

async function treeOf(t: ExecutionContext, patch: number): Promise<string> {
	const {path: directory, remove} = await mkdtempDisposable(path.join(tmpdir(), 'tree-'));
	t.teardown(remove);
	await mkdir(path.join(directory, 'arch/x86'), {recursive: true});
	await writeFile(
		path.join(directory, 'Makefile'),
		`VERSION = 4\nPATCHLEVEL = 15\nSUBLEVEL = ${patch}\nEXTRAVERSION =\n`,
	);
	await writeFile(path.join(directory, 'arch/x86/Makefile'), '');
	return directory;
}

test.serial('a tree has the version of its Makefile, and says whether it is built', async t => {
	const tree = await treeOf(t, 18);
	t.deepEqual(await resolveKernel(tree), {id: tree, release: '4.15.18', origin: 'tree, clean'});
});

test.serial('a release with a tree is that of the tree, which must be of that version', async t => {
	const source = await treeOf(t, 18);
	t.deepEqual(await resolveKernel('4.15.18+debug', {source}), {
		id: '4.15.18+debug',
		release: '4.15.18',
		origin: `tree ${source}`,
	});
	await t.throwsAsync(resolveKernel('4.15.17', {source}), {
		instanceOf: UsageError,
		message: /is Linux 4\.15\.18, but Linux 4\.15\.17 was requested\.$/,
	});
});

test.serial('what is not in the cache says how it would be made', async t => {
	await using _ = await freshCache();
	t.deepEqual(await resolveKernel('4.15.18'), {
		id: '4.15.18',
		release: '4.15.18',
		origin: 'kernel.org, to be built on this host; checksum pinned',
	});
	t.is((await resolveKernel('4.16.3')).origin, 'kernel.org, to be built on this host; checksum listed by kernel.org');
	t.deepEqual(await resolveKernel('debian-6.12+debug'), {
		id: 'debian-6.12+debug',
		release: '6.12',
		origin: 'Debian linux-source-6.12, to be built on this host',
	});
});

test.serial('a kernel that was built is the one in the cache', async t => {
	await using cache = await freshCache();
	const kernel = await cacheKernel({
		id: '4.16.3',
		release: '4.16.3-own',
		origin: 'Linux 4.16.3 from /x',
		flavour: 'base',
	});
	const memory = {kernel, recipe: 'r', source: '/x'};
	await writeCached(path.join(cache.path, 'kernels/4.16.3.source.json'), memory);
	t.deepEqual(await resolveKernel('4.16.3'), {
		id: '4.16.3',
		release: '4.16.3-own',
		origin: 'Linux 4.16.3 from /x, in the cache',
	});
});

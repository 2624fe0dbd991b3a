// SPDX-License-Identifier: GPL-2.0
import {mkdir, mkdtempDisposable, readdir, utimes, writeFile} from 'node:fs/promises';
import {tmpdir} from 'node:os';
import path from 'node:path';
import {setTimeout as sleep} from 'node:timers/promises';
import test from 'ava';
import {locked} from '../host/cache.ts';
import {listKernels, pruneCache} from './inventory.ts';

// PROBE_MATRIX_CACHE is global, so the tests are serial.
async function cacheWith(files: readonly string[]): Promise<AsyncDisposable & {path: string}> {
	const directory = await mkdtempDisposable(path.join(tmpdir(), 'inventory-'));
	process.env.PROBE_MATRIX_CACHE = directory.path;
	for (const [age, file] of files.entries()) {
		const target = path.join(directory.path, file);
		await mkdir(path.dirname(target), {recursive: true});
		await writeFile(target, 'x'.repeat(5000));
		await utimes(path.dirname(target), 1e9 - age, 1e9 - age);
	}
	return {path: directory.path, [Symbol.asyncDispose]: () => directory.remove()};
}

const left = async (cache: string, name: string) => (await readdir(path.join(cache, name))).toSorted();

test.serial('kernels that a memo names are kept; all others, and interrupted work, are removed', async t => {
	await using cache = await cacheWith([
		...['trees/used/bzImage', 'trees/older/bzImage', 'built/4.15.18-a/bzImage', 'built/4.15.18-b/bzImage'],
		...['built/4.15.18-c.1234.tmp/x', 'work/4.15.18-c/build.log', 'tarballs/linux.tar.xz', 'debs/a.deb'],
	]);
	await mkdir(path.join(cache.path, 'kernels'));
	const memo = (name: string, value: unknown) =>
		writeFile(path.join(cache.path, 'kernels', name), JSON.stringify(value, null, '\t'));
	await memo('debian-6.1.json', {id: 'debian-6.1', bzImage: path.join(cache.path, 'trees/used/bzImage')});
	await memo('4.15.18.source.json', {
		kernel: {id: '4.15.18', bzImage: path.join(cache.path, 'built/4.15.18-a/bzImage')},
	});
	t.true((await pruneCache()) > 0);
	t.deepEqual(await left(cache.path, 'trees'), ['used']);
	t.deepEqual(await left(cache.path, 'built'), ['4.15.18-a']);
	for (const name of ['work', 'tarballs', 'debs']) t.deepEqual(await left(cache.path, name), []);
	t.is(await pruneCache(), 0);
});

for (const [what, file, made] of [
	['the work of a build', 'work/4.15.18-c', 'built/4.15.18-c'],
	['a part of a download', 'tarballs/linux.tar.xz.part', 'tarballs/linux.tar.xz'],
	['a directory that is being filled', 'built/4.15.18-c.1234.tmp', 'built/4.15.18-c'],
] as const)
	test.serial(`${what} that is under way is not removed`, async t => {
		await using cache = await cacheWith([`${file}/content`]);
		for (const name of ['kernels', 'built']) await mkdir(path.join(cache.path, name), {recursive: true});
		const order: string[] = [];
		const {promise: stopped, resolve: stop} = Promise.withResolvers<void>();
		const making = locked(path.join(cache.path, made), {}, async () => {
			await stopped;
			order.push('made');
		});
		const pruned = pruneCache().then(() => order.push('pruned'));
		await Promise.race([pruned, sleep(500)]);
		stop();
		await Promise.all([making, pruned]);
		t.deepEqual(order, ['made', 'pruned']);
		t.deepEqual(await left(cache.path, path.dirname(file)), []);
	});

test.serial('the newest two builds of each kind are kept', async t => {
	const id = (digit: string) => digit.repeat(16);
	await using cache = await cacheWith([
		...['1', '2', '3'].map(digit => `build/guest-${id(digit)}/x`),
		`build/initramfs-debian-6.1-${id('4')}/x`,
	]);
	await pruneCache();
	t.deepEqual(await left(cache.path, 'build'), [
		`guest-${id('1')}`,
		`guest-${id('2')}`,
		`initramfs-debian-6.1-${id('4')}`,
	]);
});

test.serial('kernels of commits are removed, journals of unfinished bisects are kept', async t => {
	await using cache = await cacheWith([
		...['built/linux-0123456789ab-0123456789ab/bzImage', 'bisect/commits-1/journal.jsonl'],
		...['bisect/commits-2/journal.done.jsonl', 'bisect/tree-linux-1/source/Makefile'],
	]);
	await mkdir(path.join(cache.path, 'kernels'));
	t.true((await pruneCache()) > 0);
	t.deepEqual(await left(cache.path, 'built'), []);
	t.deepEqual(await left(cache.path, 'bisect'), ['commits-1']);
});

test.serial('the list has the known kernels and all others built here', async t => {
	await using cache = await cacheWith(['built/mine/bzImage']);
	await mkdir(path.join(cache.path, 'kernels'));
	const kernel = {
		id: '6.6.30+debug',
		release: '6.6.30',
		origin: 'o',
		flavour: 'debug',
		bzImage: path.join(cache.path, 'built/mine/bzImage'),
		buildTree: path.join(cache.path, 'built/mine/tree'),
		config: path.join(cache.path, 'built/mine/config'),
	};
	await writeFile(path.join(cache.path, 'kernels/a.source.json'), JSON.stringify({kernel}));
	const removed = {...kernel, id: '6.6.31', bzImage: path.join(cache.path, 'built/removed/bzImage')};
	await writeFile(path.join(cache.path, 'kernels/b.source.json'), JSON.stringify({kernel: removed}));
	await writeFile(path.join(cache.path, 'kernels/c.json'), JSON.stringify({bzImage: kernel.bzImage}));
	const kernels = await listKernels();
	t.deepEqual(kernels[0], {id: '4.15.18'});
	t.like(kernels.at(-1), {id: '6.6.30+debug', cached: {release: '6.6.30', origin: 'o'}});
	t.true(kernels.at(-1)!.cached!.sizeBytes >= 4096);
	t.is(kernels.filter(({cached}) => cached).length, 1, 'neither one whose files are gone nor what is no kernel');
});

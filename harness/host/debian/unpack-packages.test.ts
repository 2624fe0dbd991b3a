// SPDX-License-Identifier: GPL-2.0
import {createHash} from 'node:crypto';
import {existsSync} from 'node:fs';
import {readdir, writeFile} from 'node:fs/promises';
import http from 'node:http';
import type {AddressInfo} from 'node:net';
import path from 'node:path';
import test, {type ExecutionContext} from 'ava';
import {quietly} from '../../test/capture-stderr.ts';
import {debOf} from '../../test/deb-of.ts';
import {freshCache} from '../../test/fresh-cache.ts';
import {NotFoundError} from '../errors.ts';
import type {Package} from './deb822.ts';
import {packageTree} from './unpack-packages.ts';

/** A mirror with packages of these names, each with a file of its name, and a cache. */
async function openMirror(t: ExecutionContext, names: readonly string[], {lacks = [] as readonly string[]} = {}) {
	const cache = await freshCache();
	t.teardown(async () => cache[Symbol.asyncDispose]());
	const debs = new Map<string, Buffer>();
	const asked: string[] = [];
	let mostAtOnce = 0;
	let now = 0;
	const server = http.createServer((request, response) => {
		const name = request.url!.slice(1);
		asked.push(name);
		mostAtOnce = Math.max(mostAtOnce, ++now);
		// Late enough for others to be asked for.
		setTimeout(() => {
			now--;
			if (lacks.includes(name)) response.writeHead(404).end();
			else response.end(debs.get(name));
		}, 50);
	});
	await new Promise<void>(resolve => server.listen(0, '127.0.0.1', resolve));
	t.teardown(() => {
		server.closeAllConnections();
		server.close();
	});
	const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
	const packages: Package[] = [];
	for (const name of names) {
		const deb = await debOf([
			{name: `./usr/lib/${name}`, content: name},
			{name: `./usr/share/doc/${name}`, content: name},
		]);
		debs.set(name, deb);
		const sha256 = createHash('sha256').update(deb).digest('hex');
		packages.push({name, version: '1', depends: '', url: `${url}/${name}`, sha256, sizeBytes: 600_000});
	}
	return {cache, packages, asked, mostAtOnce: () => mostAtOnce};
}

test.serial('packages are unpacked together, a few downloaded at a time, and their files are not kept', async t => {
	const names = Array.from({length: 9}, (_, n) => `p${n}`);
	const {cache, packages, asked, mostAtOnce} = await openMirror(t, names);
	const {value: root, said} = await quietly(async () =>
		packageTree('tools', packages, {
			keep: file => !file.startsWith('usr/share/'),
			finish: directory => writeFile(path.join(directory, 'finished'), ''),
		}),
	);
	t.is(path.dirname(root), path.join(cache.path, 'trees'));
	t.regex(path.basename(root), /^tools-[\da-f]{12}$/);
	t.deepEqual((await readdir(path.join(root, 'usr/lib'))).toSorted(), names);
	t.false(existsSync(path.join(root, 'usr/share')));
	t.true(existsSync(path.join(root, 'finished')));
	t.deepEqual(asked.toSorted(), names);
	t.is(mostAtOnce(), 4);
	t.is(said, 'probe-matrix: downloading tools: 9 packages, 6 MB.\n');
	t.deepEqual(await readdir(path.join(cache.path, 'debs')), []);
});

test.serial('the same packages are unpacked once; others, or another recipe, are another tree', async t => {
	const {packages, asked} = await openMirror(t, ['a', 'b']);
	const {value: roots} = await quietly(async () => {
		const all = [
			await packageTree('tools', packages, {recipe: '1'}),
			await packageTree('tools', packages, {recipe: '1'}),
			await packageTree('tools', packages, {recipe: '2'}),
			await packageTree('tools', packages.slice(0, 1), {recipe: '1'}),
		];
		return all;
	});
	t.is(roots[1], roots[0]);
	t.is(new Set(roots).size, 3);
	t.deepEqual(asked.toSorted(), ['a', 'a', 'a', 'b', 'b']);
});

test.serial(
	'if a package cannot be downloaded, there is no tree, and those that were are not downloaded again',
	async t => {
		const lacks = ['b'];
		const {cache, packages, asked} = await openMirror(t, ['a', 'b', 'c'], {lacks});
		const {value: error} = await quietly(async () =>
			t.throwsAsync(packageTree('tools', packages), {instanceOf: NotFoundError, message: /\/b does not exist/}),
		);
		t.truthy(error);
		t.deepEqual(await readdir(path.join(cache.path, 'trees')), []);
		lacks.length = 0;
		asked.length = 0;
		await quietly(() => packageTree('tools', packages));
		t.deepEqual(asked, ['b']);
	},
);

test.serial('an interrupt ends the making of a tree, with nothing kept of it', async t => {
	const {cache, packages} = await openMirror(t, ['a', 'b']);
	const interrupt = new AbortController();
	const made = quietly(() =>
		packageTree('tools', packages, {
			signal: interrupt.signal,
			keep() {
				interrupt.abort(new RangeError('enough'));
				return true;
			},
			finish: async () => t.fail(),
		}),
	);
	await t.throwsAsync(made, {instanceOf: RangeError});
	t.deepEqual(await readdir(path.join(cache.path, 'trees')), []);
});

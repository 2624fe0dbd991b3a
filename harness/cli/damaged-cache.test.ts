// SPDX-License-Identifier: GPL-2.0
import {cp, mkdtempDisposable, readdir, readFile, rm, writeFile} from 'node:fs/promises';
import {tmpdir} from 'node:os';
import path from 'node:path';
import test, {type ExecutionContext} from 'ava';
import {Journal} from '../bisect/engine/journal.ts';
import {describePlan} from '../bisect/kinds/plan-bisect.ts';
import {cacheDirectory, immutableDirectory, isWhole, locked} from '../host/cache.ts';
import {writeCached} from '../host/json-cache.ts';
import {listKernels, pruneCache} from '../kernels/inventory.ts';
import {damages} from '../test/damage.ts';
import {probeMatrix} from '../test/fake-cli.ts';

/** A cache with one file of each kind that commands read without being asked for a guest. */
async function openCache(t: ExecutionContext) {
	const directory = await mkdtempDisposable(path.join(tmpdir(), 'damaged-'));
	t.teardown(() => directory.remove());
	process.env.PROBE_MATRIX_CACHE = directory.path;
	const tree = path.join(cacheDirectory('trees'), 'debian-6.1-6.1.0-0123456789ab');
	await immutableDirectory(tree, async temporary => {
		for (const file of ['bzImage', 'tree', 'config']) await writeFile(path.join(temporary, file), `${file}\n`);
	});
	const inTree = Object.fromEntries(
		(['bzImage', 'tree', 'config'] as const).map(file => [file, path.join(tree, file)]),
	);
	const {bzImage, tree: buildTree, config} = inTree;
	const kernel = {id: 'debian-6.1', release: '6.1.0', origin: 'Debian linux 6.1.192', flavour: 'cloud'};
	await writeCached(path.join(cacheDirectory('kernels'), 'debian-6.1.json'), {...kernel, bzImage, buildTree, config});
	await writeCached(path.join(cacheDirectory('kernels'), '6.6.1.source.json'), {
		kernel: {...kernel, id: '6.6.1', release: '6.6.1', bzImage, buildTree, config},
		recipe: 'r',
		source: '/nowhere',
	});
	await writeCached(path.join(cacheDirectory('kernels'), 'qemu.tree.json'), {root: tree, wanted: 'w'});
	await writeFile(path.join(cacheDirectory(), 'durations.json'), '{"k return/value": [1, 2]}');
	const journal = new Journal(path.join(cacheDirectory('bisect', 'releases-0123456789ab'), 'journal.jsonl'));
	const name = {stage: 'releases', role: 'step', candidate: {id: '1', title: '1'}} as const;
	journal.addAttempts(name, [{end: 'pass', symptoms: []}], 1);
	journal.addStep({...name, type: 'step', verdict: 'good', failed: 0, asked: 1, prepareMs: 1, ms: 1});
	journal[Symbol.dispose]();
	await locked('a lock', {}, async () => {});
	// This writes the size of the kernel, too.
	t.is((await listKernels()).filter(({cached}) => cached).length, 2);
	const found = await readdir(directory.path, {recursive: true, withFileTypes: true});
	const files = found.filter(entry => entry.isFile() && !/\bcompiled\b/.test(entry.parentPath));
	return {
		directory: directory.path,
		tree,
		journal: path.join(cacheDirectory('bisect', 'releases-0123456789ab'), 'journal.jsonl'),
		files: files.map(({parentPath, name: file}) => path.join(parentPath, file)),
	};
}

const ends = {good: '4.15.18', bad: 'debian-6.12', linux: undefined, module: undefined};

for (const [what, damage] of Object.entries(damages)) {
	test.serial(`no file of the cache that is ${what} stops a command`, async t => {
		const {directory, tree, files, journal} = await openCache(t);
		t.true(files.length >= 9, files.join(' '));
		const copy = `${directory}.copy`;
		await cp(directory, copy, {recursive: true, preserveTimestamps: true});
		t.teardown(() => rm(copy, {recursive: true, force: true}));
		for (const file of files) {
			await writeFile(file, damage(await readFile(file)));
			t.true((await listKernels()).length > 3, file);
			t.regex(await describePlan(ends), /kernels, both ends/, file);
			const known = new Journal(journal);
			t.true(known.size <= 1);
			known[Symbol.dispose]();
			await isWhole(tree);
			await locked('a lock', {}, async () => {});
			await t.notThrowsAsync(pruneCache(), file);
			await rm(directory, {recursive: true});
			await cp(copy, directory, {recursive: true, preserveTimestamps: true});
		}
		for (const file of files) await writeFile(file, damage(await readFile(file)));
		const commands = [
			['kernels', 'list'],
			['bisect', '--good', ends.good, '--bad', ends.bad, '--match', 'entry/flags', '--dry-run'],
		];
		for (const args of commands) {
			const {exitCode, stderr, stdout} = await probeMatrix(...args);
			t.is(exitCode, 0, stderr);
			t.notRegex(stderr, /^ +at /m);
			t.regex(stdout, /debian-6\.1\b/);
			if (what === 'zero-filled') t.regex(stderr, /debian-6\.1\.json is damaged and counts as missing: it is not JSON/);
		}
	});
}

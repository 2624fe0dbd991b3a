// SPDX-License-Identifier: GPL-2.0
import {mkdir, mkdtempDisposable, readdir, readFile, rm, stat, symlink, utimes, writeFile} from 'node:fs/promises';
import {tmpdir} from 'node:os';
import path from 'node:path';
import test from 'ava';
import {writeProgram} from '../test/write-program.ts';
import {
	copySources,
	emptyDirectory,
	hashPlaces,
	hashSources,
	isSource,
	placeOf,
	projectRoot,
	syncSources,
	toolchainIdentity,
} from './sources.ts';

/** A directory of sources in the place of kmod/, with what is built beside them. */
async function openSources() {
	const directory = await mkdtempDisposable(path.join(tmpdir(), 'sources-'));
	const at = (name: string) => path.join(directory.path, name);
	await mkdir(at('kmod/deep'), {recursive: true});
	for (const name of ['b.c', 'a.h', 'deep/c.S']) await writeFile(at(`kmod/${name}`), name);
	return {at, elsewhere: {kmod: at('kmod')}, [Symbol.asyncDispose]: () => directory.remove()};
}

const products = [
	...['a.o', 'a.ko', 'a.mod', 'a.mod.c', '.a.o.cmd', 'modules.order', 'Module.symvers', 'built-in.a', '.hidden'],
	...['node_modules/x.js', 'out/x', 'build/x', 'deep/c.o'],
];

test('what a build leaves between its sources is no source', async t => {
	await using made = await openSources();
	const hash = () => hashSources(['kmod'], made.elsewhere);
	const before = hash();
	for (const name of products) {
		await mkdir(path.dirname(made.at(`kmod/${name}`)), {recursive: true});
		await writeFile(made.at(`kmod/${name}`), 'built');
	}
	t.is(hash(), before);
	emptyDirectory(made.at('copy'));
	copySources(['kmod'], made.at('copy'), made.elsewhere);
	const copied = await readdir(made.at('copy/kmod'), {recursive: true});
	t.deepEqual(copied.toSorted(), ['a.h', 'b.c', 'deep', 'deep/c.S']);
	for (const name of products) t.false(isSource(`kmod/${name}`), name);
});

test('each room of the harness is a source, whatever its name', async t => {
	await using directory = await mkdtempDisposable(path.join(tmpdir(), 'sources-'));
	copySources(['harness'], directory.path);
	for (const name of ['harness/build/make.ts', 'harness/engine/case.ts', 'harness/host/debian/deb.ts']) {
		t.is(await readFile(path.join(directory.path, name), 'utf8'), await readFile(path.join(projectRoot, name), 'utf8'));
		t.true(isSource(name), name);
		const before = hashSources(['harness'], {harness: path.join(directory.path, 'harness')});
		await writeFile(path.join(directory.path, name), 'changed');
		t.not(hashSources(['harness'], {harness: path.join(directory.path, 'harness')}), before, name);
	}
	for (const name of ['harness/build/.make.ts.swp', 'harness/build/make.ts~', 'harness/build/make.test.ts'])
		t.false(isSource(name), name);
});

test('a hash of sources is of their names and of what they hold, wherever they are', async t => {
	await using made = await openSources();
	await using other = await openSources();
	const hash = () => hashSources(['kmod'], made.elsewhere);
	const first = hash();
	t.is(hashSources(['kmod'], other.elsewhere), first);
	t.not(hashSources(['guest'], {guest: made.at('kmod')}), first);
	await writeFile(made.at('kmod/b.c'), 'other');
	const second = hash();
	t.not(second, first);
	await writeFile(made.at('kmod/b.c'), 'b.c');
	await writeFile(made.at('kmod/new.c'), '');
	t.not(hash(), first);
	await rm(made.at('kmod/new.c'));
	t.is(hash(), first);
	// What one file loses, another one gets.
	await writeFile(made.at('kmod/a.h'), 'a.hb');
	await writeFile(made.at('kmod/b.c'), '.c');
	t.not(hash(), first);
	// All of one file in the one before it.
	await writeFile(made.at('kmod/a.h'), 'a.hkmod/b.cb.c');
	await rm(made.at('kmod/b.c'));
	t.not(hash(), first);
	await writeFile(made.at('kmod/b.c'), '');
	t.is(hashPlaces([made.at('kmod/deep')]), hashPlaces([other.at('kmod/deep')]), 'paths do not count');
	t.not(hashPlaces([made.at('kmod/a.h'), made.at('kmod/b.c')]), hashPlaces([made.at('kmod/b.c'), made.at('kmod/a.h')]));
});

test('tests of the harness are no sources, and neither are backup files of editors', t => {
	for (const [name, isOne] of [
		['harness/engine/case.ts', true],
		['harness/engine/case.test.ts', false],
		['harness/test/random.ts', false],
		['harness/suites/samples/a.ts', false],
		['harness/tester.ts', true],
		['guest/test/a.c', true],
		['kmod/entry.c', true],
		['kmod/entry.c~', false],
		['kmod/old~/entry.c', false],
		['kmod/outer/entry.c', true],
	] as const)
		t.is(isSource(name), isOne, name);
});

test('a copy is brought up to date, and what did not change is left for make as it is', async t => {
	await using made = await openSources();
	const copy = made.at('copy');
	emptyDirectory(copy);
	t.false(syncSources(['kmod'], copy, made.elsewhere), 'there is no copy yet');
	copySources(['kmod'], copy, made.elsewhere);
	const old = new Date(1e12);
	for (const name of ['a.h', 'b.c']) await utimes(path.join(copy, 'kmod', name), old, old);
	await writeFile(made.at('kmod/b.c'), 'changed');
	t.true(syncSources(['kmod'], copy, made.elsewhere));
	t.is((await stat(path.join(copy, 'kmod/a.h'))).mtimeMs, 1e12);
	t.is(await readFile(path.join(copy, 'kmod/b.c'), 'utf8'), 'changed');
	t.not((await stat(path.join(copy, 'kmod/b.c'))).mtimeMs, 1e12);
});

for (const [what, change] of [
	['added', ({at}: {at: (name: string) => string}) => writeFile(at('kmod/new.c'), '')],
	['removed', ({at}: {at: (name: string) => string}) => rm(at('kmod/b.c'))],
	['lost from the copy', ({at}: {at: (name: string) => string}) => rm(at('copy/kmod/b.c'))],
] as const) {
	test(`with a file ${what}, a copy cannot be brought up to date`, async t => {
		await using made = await openSources();
		emptyDirectory(made.at('copy'));
		copySources(['kmod'], made.at('copy'), made.elsewhere);
		t.true(syncSources(['kmod'], made.at('copy'), made.elsewhere));
		await change(made);
		t.false(syncSources(['kmod'], made.at('copy'), made.elsewhere));
	});
}

test('a directory that is emptied exists, and holds nothing', async t => {
	await using made = await openSources();
	for (const name of ['kmod', 'new/deep']) {
		emptyDirectory(made.at(name));
		t.deepEqual(await readdir(made.at(name)), []);
	}
});

test('a place of the project is in the checkout, unless it is taken from elsewhere', t => {
	t.is(placeOf('kmod'), path.join(projectRoot, 'kmod'));
	t.is(placeOf('harness/build/sources.ts'), path.join(projectRoot, 'harness/build/sources.ts'));
	t.is(placeOf('kmod', {kmod: '/elsewhere'}), '/elsewhere');
	t.is(placeOf('guest', {kmod: '/elsewhere'}), path.join(projectRoot, 'guest'));
});

test.serial(
	'a toolchain is another one when a program is changed, touched, or gone, or a link leads elsewhere',
	async t => {
		await using directory = await mkdtempDisposable(path.join(tmpdir(), 'tools-'));
		const at = (name: string) => path.join(directory.path, name);
		const {PATH} = process.env;
		process.env.PATH = `${directory.path}:${PATH}`;
		try {
			for (const name of ['cc-1', 'cc-2']) await writeProgram(at(name), '#!/bin/sh\n');
			for (const name of ['cc-1', 'cc-2']) await utimes(at(name), 1e9, 1e9);
			await symlink('cc-1', at('own-cc'));
			const made = [await toolchainIdentity(['own-cc'])];
			t.deepEqual([await toolchainIdentity(['own-cc'])], made);
			t.is(await toolchainIdentity(['own-cc', 'own-cc']), `${made[0]}\n${made[0]}`);
			await writeProgram(at('cc-1'), '#!/bin/sh\n# new\n');
			await utimes(at('cc-1'), 1e9, 1e9);
			made.push(await toolchainIdentity(['own-cc']));
			await utimes(at('cc-1'), 1e9, 1e9 + 1);
			made.push(await toolchainIdentity(['own-cc']));
			await rm(at('own-cc'));
			made.push(await toolchainIdentity(['own-cc']));
			t.is(made.at(-1), 'own-cc: none');
			await symlink('cc-2', at('own-cc'));
			made.push(await toolchainIdentity(['own-cc']));
			t.is(new Set(made).size, made.length, made.join('\n'));
		} finally {
			process.env.PATH = PATH;
		}
	},
);

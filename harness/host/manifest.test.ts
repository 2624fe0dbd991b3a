// SPDX-License-Identifier: GPL-2.0
import {
	lutimes,
	mkdir,
	mkdtempDisposable,
	open,
	readFile,
	rm,
	symlink,
	truncate,
	utimes,
	writeFile,
} from 'node:fs/promises';
import {tmpdir} from 'node:os';
import path from 'node:path';
import test from 'ava';
import {findDamage, isUnharmed, writeManifest} from './manifest.ts';

/** A directory with a large file, a small file, a link and a manifest. */
async function directoryOf(): Promise<AsyncDisposable & {inside: (file: string) => string; path: string}> {
	const directory = await mkdtempDisposable(path.join(tmpdir(), 'manifest-'));
	const inside = (file: string) => path.join(directory.path, file);
	await mkdir(inside('deep'));
	await writeFile(inside('deep/large'), Buffer.alloc(1 << 20, 'large'));
	await writeFile(inside('small'), 'small');
	await symlink('small', inside('link'));
	// The clock of files ticks a few hundred times a second: a change soon after would leave the mtime as it is.
	for (const name of ['small', 'link']) await lutimes(inside(name), 1e9, 1e9);
	await writeManifest(directory.path);
	return {path: directory.path, inside, [Symbol.asyncDispose]: () => directory.remove()};
}

async function flip(file: string, at: number): Promise<void> {
	await using handle = await open(file, 'r+');
	await handle.write('X', at);
}

test('an unchanged directory has no damage, even with additional files', async t => {
	await using made = await directoryOf();
	await writeFile(made.inside('later'), 'x');
	t.is(await findDamage(made.path), undefined);
});

test('a directory without a manifest counts as undamaged', async t => {
	await using made = await directoryOf();
	await rm(made.inside('.manifest.json'));
	await rm(made.inside('small'));
	t.is(await findDamage(made.path), undefined);
});

test('a flipped bit in a large file is found although mtime and size are unchanged', async t => {
	await using made = await directoryOf();
	const longAgo = new Date(1e12);
	await utimes(made.inside('deep/large'), longAgo, longAgo);
	await writeManifest(made.path);
	await flip(made.inside('deep/large'), 700_000);
	await utimes(made.inside('deep/large'), longAgo, longAgo);
	t.is(await findDamage(made.path), 'deep/large');
});

test('changed, truncated and removed files, changed links and a damaged manifest are found', async t => {
	const ways: Record<string, (inside: (file: string) => string) => Promise<void>> = {
		small: inside => flip(inside('small'), 2),
		'deep/large': inside => truncate(inside('deep/large'), 1000),
		link: async inside => {
			await rm(inside('link'));
			await symlink('large', inside('link'));
		},
		'.manifest.json': inside => truncate(inside('.manifest.json'), 20),
	};
	for (const [found, harm] of Object.entries(ways)) {
		await using made = await directoryOf();
		await harm(made.inside);
		t.is(await findDamage(made.path), found);
	}
	await using made = await directoryOf();
	await rm(made.inside('small'));
	t.is(await findDamage(made.path), 'small');
});

test('each of many files is checked', async t => {
	await using directory = await mkdtempDisposable(path.join(tmpdir(), 'manifest-'));
	const names = Array.from({length: 1003}, (_, n) => `file-${n}`);
	for (const name of names) await writeFile(path.join(directory.path, name), name);
	await writeManifest(directory.path);
	const order = Object.keys(JSON.parse(await readFile(path.join(directory.path, '.manifest.json'), 'utf8')));
	t.is(order.length, names.length);
	for (const at of [0, 498, 499, 500, 501, 998, 999, 1000, 1001, 1002]) {
		const file = path.join(directory.path, order[at]!);
		await writeFile(file, 'damaged, and longer');
		t.is(await findDamage(directory.path), order[at], `file ${at}`);
		await writeFile(file, order[at]!);
	}
	t.is(await findDamage(directory.path), undefined);
});

test('a small file that lost its end is found although its mtime is unchanged', async t => {
	await using made = await directoryOf();
	const longAgo = new Date(1e12);
	await utimes(made.inside('small'), longAgo, longAgo);
	await writeManifest(made.path);
	await truncate(made.inside('small'), 3);
	await utimes(made.inside('small'), longAgo, longAgo);
	t.is(await findDamage(made.path), 'small');
});

test('a file that is too large to be read is trusted until the host boots again, and while nobody writes to it', async t => {
	await using made = await directoryOf();
	await writeManifest(made.path, ['deep/large']);
	t.is(await findDamage(made.path), undefined);
	t.true(await isUnharmed(made.path));
	const witness = await readFile(made.inside('.witness.json'), 'utf8');
	await writeFile(made.inside('.witness.json'), JSON.stringify({...JSON.parse(witness), boot: 'another'}));
	t.is(await findDamage(made.path), 'deep/large');
	t.false(await isUnharmed(made.path));
	await writeFile(made.inside('.witness.json'), witness);
	await flip(made.inside('deep/large'), 700_000);
	t.is(await findDamage(made.path), 'deep/large');
	t.false(await isUnharmed(made.path));
});

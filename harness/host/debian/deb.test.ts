// SPDX-License-Identifier: GPL-2.0
import {existsSync} from 'node:fs';
import {mkdtempDisposable, readFile, readlink, stat, writeFile} from 'node:fs/promises';
import {tmpdir} from 'node:os';
import path from 'node:path';
import test, {type ExecutionContext} from 'ava';
import {debOf, type Entry} from '../../test/deb-of.ts';
import {UsageError} from '../errors.ts';
import {parseAr, unpackDeb} from './deb.ts';

async function world(t: ExecutionContext, deb: Buffer): Promise<{file: string; root: string; outside: string}> {
	const directory = await mkdtempDisposable(path.join(tmpdir(), 'deb-'));
	t.teardown(() => directory.remove());
	const file = path.join(directory.path, 'a.deb');
	await writeFile(file, deb);
	return {file, root: path.join(directory.path, 'root'), outside: directory.path};
}

for (const suffix of ['.gz', '.xz', '.zst', ''] as const) {
	test(`a data.tar${suffix} is unpacked with links and without set-id bits`, async t => {
		const {file, root} = await world(
			t,
			await debOf(
				[
					{name: './usr/', type: 'directory'},
					{name: './usr/bin/tool', content: 'hello', mode: 0o4755},
					{name: './usr/bin/alias', type: 'symlink', linkname: 'tool'},
					{name: './usr/bin/up', type: 'symlink', linkname: '../bin/tool'},
					{name: './usr/bin/absolute', type: 'symlink', linkname: '/usr/bin/tool'},
					{name: './usr/bin/twin', type: 'link', linkname: './usr/bin/tool'},
				],
				{suffix},
			),
		);
		await unpackDeb(file, root);
		t.is(await readlink(path.join(root, 'usr/bin/absolute')), '/usr/bin/tool');
		for (const name of ['tool', 'alias', 'up', 'twin'])
			t.is(await readFile(path.join(root, 'usr/bin', name), 'utf8'), 'hello');
		t.is((await stat(path.join(root, 'usr/bin/tool'))).mode & 0o7777, 0o755);
	});
}

/** `elsewhere`: a directory outside, which an edit that lets archives out may write to. */
const evil = (elsewhere: string): Readonly<Record<string, readonly Entry[]>> => ({
	'a path with dots': [{name: '../evil', content: 'x'}],
	'a path with dots inside': [{name: 'usr/../../evil', content: 'x'}],
	'an absolute path': [{name: path.join(elsewhere, 'evil'), content: 'x'}],
	'a link out and a file through it': [
		{name: 'out', type: 'symlink', linkname: '..'},
		{name: 'out/evil', content: 'x'},
	],
	'an absolute link and a file through it': [
		{name: 'out', type: 'symlink', linkname: elsewhere},
		{name: 'out/evil', content: 'x'},
	],
	'a link out': [{name: 'usr/out', type: 'symlink', linkname: '../../evil'}],
	'a hard link to something outside': [{name: 'evil', type: 'link', linkname: '../a.deb'}],
	'a link out and a hard link through it': [
		{name: 'out', type: 'symlink', linkname: elsewhere},
		{name: 'evil', type: 'link', linkname: 'out/file'},
	],
	'a directory through a link': [
		{name: 'out', type: 'symlink', linkname: elsewhere},
		{name: 'out/evil/', type: 'directory'},
	],
});
for (const what of Object.keys(evil(''))) {
	test(`${what} is refused`, async t => {
		const elsewhere = await mkdtempDisposable(path.join(tmpdir(), 'elsewhere-'));
		t.teardown(() => elsewhere.remove());
		await writeFile(path.join(elsewhere.path, 'file'), '');
		const {file, root, outside} = await world(t, await debOf(evil(elsewhere.path)[what]!));
		await t.throwsAsync(unpackDeb(file, root), {instanceOf: UsageError});
		t.false(existsSync(path.join(outside, 'evil')));
		t.false(existsSync(path.join(elsewhere.path, 'evil')));
	});
}

test('an archive that is cut off is refused', async t => {
	const deb = await debOf([{name: 'file', content: 'x'.repeat(5000)}]);
	t.throws(() => parseAr(deb.subarray(0, -10)), {instanceOf: UsageError});
	t.throws(() => parseAr(Buffer.from('no archive')), {instanceOf: UsageError});
});

test('what is not to be kept is not written', async t => {
	const {file, root} = await world(
		t,
		await debOf([
			{name: './a', content: 'a'},
			{name: './b', content: 'b'},
		]),
	);
	await unpackDeb(file, root, {keep: name => name === 'b'});
	t.false(existsSync(path.join(root, 'a')));
	t.true(existsSync(path.join(root, 'b')));
});

for (const suffix of ['.gz', '.xz', '.zst'] as const) {
	test(`a data.tar${suffix} that is none, or that lacks its end, is an error`, async t => {
		const none = await world(t, await debOf([], {suffix, data: Buffer.from('not compressed')}));
		await t.throwsAsync(unpackDeb(none.file, none.root));
		const whole = await debOf([{name: 'file', content: 'x'}], {suffix});
		const data = parseAr(whole).get(`data.tar${suffix}`)!;
		// The archive in it is whole.
		const cut = await world(t, await debOf([], {suffix, data: data.subarray(0, -2)}));
		await t.throwsAsync(unpackDeb(cut.file, cut.root));
	});
}

test.serial('without xz, a package that needs it is an error, and one that does not is unpacked', async t => {
	const [needs, other] = await Promise.all(
		(['.xz', '.gz'] as const).map(async suffix => world(t, await debOf([{name: 'file', content: 'x'}], {suffix}))),
	);
	const {PATH} = process.env;
	t.teardown(() => {
		process.env.PATH = PATH;
	});
	process.env.PATH = other!.outside;
	await t.throwsAsync(unpackDeb(needs!.file, needs!.root), {message: /xz.*ENOENT|ENOENT.*xz/s});
	await unpackDeb(other!.file, other!.root);
	t.is(await readFile(path.join(other!.root, 'file'), 'utf8'), 'x');
});

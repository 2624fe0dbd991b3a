// SPDX-License-Identifier: GPL-2.0
import {mkdtempDisposable} from 'node:fs/promises';
import {tmpdir} from 'node:os';
import test from 'ava';
import {execa} from 'execa';
import {writeCpio} from './cpio.ts';

const entries = [
	{path: 'usr/bin/tool', data: Buffer.from('hello'), mode: 0o755},
	{path: 'bin', linkTo: 'usr/bin'},
	{path: 'root', directory: true, mode: 0o700},
] as const;

test('the archive does not depend on the order of entries', t => {
	t.deepEqual(writeCpio(entries), writeCpio(entries.toReversed()));
});

test('a later entry with the same path wins', t => {
	const archive = writeCpio([...entries, {path: 'bin', data: Buffer.from('mine')}]).toString('latin1');
	t.true(archive.includes('mine'));
	t.is(archive.split('bin\0').length, 4 - 1);
});

test('each header and each content begins at a multiple of four bytes', t => {
	for (const length of [1, 2, 3, 4, 5]) {
		const archive = writeCpio([{path: 'a'.repeat(length), data: Buffer.alloc(length, 'd'), mode: 0o644}]);
		const headers = [...archive.toString('latin1').matchAll(/070701/g)].map(({index}) => index);
		t.deepEqual(
			headers.map(at => at % 4),
			[0, 0],
			`${length}`,
		);
		t.is(archive.indexOf('d'.repeat(length), 110) % 4, 0, `${length}`);
	}
});

test('busybox can list the archive', async t => {
	await using directory = await mkdtempDisposable(`${tmpdir()}/cpio-`);
	const busybox = await execa('busybox', ['cpio', '-tv'], {
		input: writeCpio(entries),
		cwd: directory.path,
		reject: false,
	});
	if (busybox.code === 'ENOENT') {
		t.pass('There is no busybox here.');
		return;
	}
	t.regex(busybox.stdout, /^drwx------.* root$/m);
	t.regex(busybox.stdout, /^-rwxr-xr-x.* 5 .* usr\/bin\/tool$/m);
	t.regex(busybox.stdout, /^lrwxrwxrwx.* bin -> usr\/bin$/m);
	t.regex(busybox.stdout, /^drwxr-xr-x.* usr\/bin$/m);
});

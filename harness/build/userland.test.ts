// SPDX-License-Identifier: GPL-2.0
import {mkdir, mkdtempDisposable, rm, symlink, writeFile} from 'node:fs/promises';
import {tmpdir} from 'node:os';
import path from 'node:path';
import test from 'ava';
import recipe from '../../images/guest-packages.json' with {type: 'json'};
import {BuildError} from '../host/errors.ts';
import {writeProgram} from '../test/write-program.ts';
import {userlandEntries} from './userland.ts';

/** A tree with all files that a guest needs. Its busybox has these applets. */
async function openUserland(applets: readonly string[]) {
	const directory = await mkdtempDisposable(path.join(tmpdir(), 'userland-'));
	const at = (name: string) => path.join(directory.path, name);
	for (const file of recipe.files) {
		await mkdir(path.dirname(at(file)), {recursive: true});
		await writeFile(at(file), file, {mode: 0o644});
	}
	await rm(at('usr/bin/busybox'));
	await writeProgram(
		at('usr/bin/busybox'),
		`#!/bin/sh\ntest "$*" = --list-full && printf '%s\\n' ${applets.join(' ')}\n`,
	);
	return {at, path: directory.path, [Symbol.asyncDispose]: () => directory.remove()};
}

test('each applet of busybox has a link, except where a program of its own is', async t => {
	await using made = await openUserland([
		'bin/ls',
		'sbin/init',
		'usr/bin/[',
		'usr/sbin/bpftool',
		'usr/bin/busybox',
		'linuxrc',
	]);
	const entries = await userlandEntries(made.path);
	// Of the same path, the last one wins.
	const links = [...new Map(entries.map(entry => [entry.path, entry])).values()].filter(entry => 'linkTo' in entry);
	t.deepEqual(
		links.map(entry => [entry.path, 'linkTo' in entry && entry.linkTo]),
		['usr/bin/ls', 'usr/sbin/init', 'usr/bin/['].map(name => [name, '/usr/bin/busybox']),
	);
});

test('a file has its mode, without what lets others write to it; a link comes with what it leads to', async t => {
	await using made = await openUserland([]);
	const [plain, library] = ['usr/lib/x86_64-linux-gnu/libz.so.1', 'usr/lib/x86_64-linux-gnu/libelf.so.1'] as const;
	await rm(made.at(plain));
	await writeFile(made.at(plain), 'plain');
	const {chmod} = await import('node:fs/promises');
	await chmod(made.at(plain), 0o4777);
	await rm(made.at(library));
	await symlink('libelf-0.192.so', made.at(library));
	await writeFile(made.at('usr/lib/x86_64-linux-gnu/libelf-0.192.so'), 'library');
	const entries = new Map((await userlandEntries(made.path)).map(entry => [entry.path, entry]));
	t.deepEqual(entries.get(plain), {path: plain, data: Buffer.from('plain'), mode: 0o755});
	t.deepEqual(entries.get(library), {path: library, linkTo: 'libelf-0.192.so'});
	t.like(entries.get('usr/lib/x86_64-linux-gnu/libelf-0.192.so'), {data: Buffer.from('library')});
	t.deepEqual(
		recipe.files.filter(file => !entries.has(file)),
		[],
	);
});

test('a file that no package holds is named, also if a link leads to it', async t => {
	for (const target of [undefined, 'libz.so.1.3']) {
		await using made = await openUserland([]);
		const file = 'usr/lib/x86_64-linux-gnu/libz.so.1';
		await rm(made.at(file));
		if (target !== undefined) await symlink(target, made.at(file));
		const lacking = target === undefined ? file : `usr/lib/x86_64-linux-gnu/${target}`;
		await t.throwsAsync(userlandEntries(made.path), {
			instanceOf: BuildError,
			message: `images/guest-packages.json lists ${lacking}, but no package of the guest holds it.`,
		});
	}
});

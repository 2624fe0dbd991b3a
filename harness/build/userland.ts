// SPDX-License-Identifier: GPL-2.0
import {lstat, readFile, readlink} from 'node:fs/promises';
import path from 'node:path';
import recipe from '../../images/guest-packages.json' with {type: 'json'};
import type {Suite} from '../host/debian/archive.ts';
import {obtainTree} from '../host/debian/obtain-tree.ts';
import {BuildError} from '../host/errors.ts';
import {programs} from '../host/programs.ts';
import type {CpioEntry} from './cpio.ts';

/** Debian's programs for the guest, unpacked: images/guest-packages.json says which. */
export async function obtainUserland({signal}: {signal?: AbortSignal | undefined} = {}): Promise<string> {
	// JSON types widen `archive` to string; images/guest-packages.json holds nothing else.
	const suites = recipe.suites as readonly Suite[];
	return obtainTree(
		'guest',
		{...recipe, suites},
		{
			signal,
			keep: file => /^usr\/(?:s?bin|lib|lib64)\//.test(file) && !file.includes('/gconv/'),
			recipe: [...new Set(recipe.files)].join(),
		},
	);
}

/** Its files for the initramfs, with a link for each applet of busybox. */
export async function userlandEntries(root: string): Promise<readonly CpioEntry[]> {
	const files = (await Promise.all(recipe.files.map(file => withLinks(root, file)))).flat();
	const busybox = path.join(root, 'usr/bin/busybox');
	const {stdout} = await programs()(busybox, ['--list-full']);
	const applets = stdout
		.split('\n')
		.map(applet => (applet.startsWith('usr/') ? applet : `usr/${applet}`))
		.filter(applet => /^usr\/s?bin\//.test(applet) && applet !== 'usr/bin/busybox')
		.map(applet => ({path: applet, linkTo: '/usr/bin/busybox'}));
	// Entries that come later win: a program of its own beats the applet of the same name.
	return [...applets, ...files];
}

async function withLinks(root: string, file: string): Promise<readonly CpioEntry[]> {
	const source = path.join(root, file);
	const stats = await lstat(source).catch(() => undefined);
	if (stats?.isSymbolicLink()) {
		const linkTo = await readlink(source);
		return [{path: file, linkTo}, ...(await withLinks(root, path.join(path.dirname(file), linkTo)))];
	}
	if (!stats?.isFile())
		throw new BuildError(`images/guest-packages.json lists ${file}, but no package of the guest holds it.`);
	return [{path: file, data: await readFile(source), mode: stats.mode & 0o755}];
}

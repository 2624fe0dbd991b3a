// SPDX-License-Identifier: GPL-2.0
import {readdir, rm} from 'node:fs/promises';
import path from 'node:path';
import {loadIndex} from '../host/debian/archive.ts';
import {newest} from '../host/debian/resolve-dependencies.ts';
import {packageTree} from '../host/debian/unpack-packages.ts';
import {UsageError} from '../host/errors.ts';
import {programs} from '../host/programs.ts';
import {debianRow} from './catalogue.ts';

/** The source tree of Debian's package for a series (`6.1`), in the cache; do not write to it. Throws UsageError. */
export async function debianSource(wanted: string): Promise<string> {
	const row = debianRow(`debian-${wanted}`);
	if (!row) throw new UsageError(`There is no debian-${wanted} in images/kernels.json.`);
	const name = `linux-source-${wanted}`;
	const found = newest(await Promise.all(row.suites.map(suite => loadIndex(suite))), name);
	if (!found) throw new UsageError(`The suites of debian-${wanted} have no ${name}.`);
	const root = await packageTree(name, [found], {
		keep: file => file.startsWith('usr/src/'),
		async finish(directory) {
			const tarball = path.join(directory, 'usr/src', `${name}.tar.xz`);
			await programs()('tar', ['-xJf', tarball, '-C', directory, '--no-same-owner']);
			await rm(tarball);
		},
	});
	const directory = (await readdir(root)).find(entry => entry.startsWith('linux-source'));
	if (!directory) throw new UsageError(`${name} holds no tree of that name.`);
	return path.join(root, directory);
}

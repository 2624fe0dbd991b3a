import {lstat, readFile, readlink} from 'node:fs/promises';
import path from 'node:path';
import {execa} from 'execa';
import recipe from '../../images/guest-packages.json' with {type: 'json'};
import {cacheDirectory, isWhole} from '../host/cache.ts';
import {defaultMaxAgeMs, loadIndex, type Suite} from '../host/debian/archive.ts';
import {closure} from '../host/debian/resolve-dependencies.ts';
import {packageTree} from '../host/debian/unpack-packages.ts';
import {BuildError} from '../host/errors.ts';
import {readCached, writeCached} from '../host/json-cache.ts';
import type {CpioEntry} from './cpio.ts';

/** Debian's programs for the guest, unpacked: images/guest-packages.json says which. */
export async function obtainUserland({signal}: {signal?: AbortSignal | undefined} = {}): Promise<string> {
	const memo = path.join(cacheDirectory('kernels'), 'guest-packages.json');
	const wanted = JSON.stringify(recipe);
	const known = await readCached<{root: string; wanted: string}>(
		memo,
		30 * defaultMaxAgeMs,
		async memory => memory.wanted === wanted && (await isWhole(memory.root)),
	);
	if (known) return known.root;
	// JSON types widen `archive` to string; images/guest-packages.json holds nothing else.
	const suites = recipe.suites as readonly Suite[];
	const indices = await Promise.all(suites.map(suite => loadIndex(suite, {signal})));
	const packages = closure(indices, recipe.roots, {skip: recipe.skip});
	const files = new Set(recipe.files);
	const root = await packageTree('guest', packages, {
		signal,
		keep: file => /^usr\/(?:s?bin|lib|lib64)\//.test(file) && !file.includes('/gconv/'),
		recipe: [...files].join(),
	});
	await writeCached(memo, {root, wanted});
	return root;
}

/** Its files for the initramfs, with a link for each applet of busybox. */
export async function userlandEntries(root: string): Promise<readonly CpioEntry[]> {
	const files = (await Promise.all(recipe.files.map(file => withLinks(root, file)))).flat();
	const busybox = path.join(root, 'usr/bin/busybox');
	const {stdout} = await execa(busybox, ['--list-full']);
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

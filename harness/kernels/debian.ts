// SPDX-License-Identifier: GPL-2.0
import {existsSync} from 'node:fs';
import {readdir, readFile, writeFile} from 'node:fs/promises';
import path from 'node:path';
import {cacheDirectory} from '../host/cache.ts';
import {defaultMaxAgeMs, loadIndex} from '../host/debian/archive.ts';
import type {Package, PackageIndex} from '../host/debian/deb822.ts';
import {compareVersions} from '../host/debian/package-version.ts';
import {newest} from '../host/debian/resolve-dependencies.ts';
import {packageTree} from '../host/debian/unpack-packages.ts';
import {NotFoundError, UsageError} from '../host/errors.ts';
import {readCached, writeCached} from '../host/json-cache.ts';
import {say} from '../host/say.ts';
import type {DebianRow} from './catalogue.ts';
import {isKernelWhole, type Kernel, type ObtainOptions} from './kernel.ts';
import {extractVmlinux} from './vmlinux.ts';

/** Obtains the newest cloud image and headers of a series in its suites. */
export async function obtainDebianKernel(id: string, row: DebianRow, options: ObtainOptions): Promise<Kernel> {
	const memo = path.join(cacheDirectory('kernels'), `${id}.json`);
	if (!options.refresh) {
		const kernel = await readCached<Kernel>(memo, defaultMaxAgeMs, isKernelWhole);
		if (kernel) return kernel;
	}
	const indices = await indicesOf(row, options);
	const kernel = await firstInArchive(candidatesIn(indices, {id, ...row}), each => fetchKernel(id, each, options));
	await writeCached(memo, kernel);
	return kernel;
}

/** What `fetch` makes of the first candidate; if the mirror no longer has it, or does not have it yet, of the next one. */
export async function firstInArchive<C, T>(
	[first, ...others]: readonly C[],
	fetch: (candidate: C) => Promise<T>,
): Promise<T> {
	try {
		return await fetch(first!);
	} catch (error) {
		if (!(error instanceof NotFoundError) || others.length === 0) throw error;
		say(`${error.message} Trying the next older build.`);
		return firstInArchive(others, fetch);
	}
}

/** The kernel of these packages: from the cache, or fetched. */
export async function fetchKernel(
	id: string,
	{release, packages}: Resolved,
	{signal}: Pick<ObtainOptions, 'signal'>,
): Promise<Kernel> {
	const root = await packageTree(`${id}-${release}`, packages, {
		signal,
		keep: file => !file.startsWith('usr/share/'),
		finish: directory => makeUsable(directory, release),
		recipe: '3',
	});
	return describe(id, release, root, packages);
}

type Resolved = {readonly release: string; readonly packages: readonly Package[]};

/** Finds what would be fetched, without fetching it. */
export async function resolveDebianKernel(id: string, row: DebianRow, options: ObtainOptions): Promise<Resolved> {
	return candidatesIn(await indicesOf(row, options), {id, ...row})[0]!;
}

async function indicesOf({suites}: DebianRow, {signal, refresh}: ObtainOptions): Promise<readonly PackageIndex[]> {
	return Promise.all(suites.map(suite => loadIndex(suite, {signal, ...(refresh && {maxAgeMs: 0})})));
}

/** Kernels whose packages are all in the indices, newest first; never empty. Throws UsageError if there are none. */
export function candidatesIn(
	indices: readonly PackageIndex[],
	{id, series, suites}: DebianRow & {readonly id: string},
): readonly Resolved[] {
	const name = new RegExp(`linux-image-${series.replaceAll('.', '\\.')}\\.[^ \\n]*cloud-amd64(?:-unsigned)?`);
	const images = indices.flatMap(index => index.match(name)).toSorted(newestAndSignedFirst);
	const whole = images.flatMap(image => {
		const packages = packagesOf(indices, image);
		return packages ? [{release: releaseOf(image), packages}] : [];
	});
	if (whole.length === 0) {
		throw new UsageError(
			`${id}: no linux-image-${series}.*-cloud-amd64 with its headers in ${suites.map(({suite}) => suite).join(', ')}.`,
		);
	}
	return whole;
}

function newestAndSignedFirst(a: Package, b: Package): number {
	return compareVersions(b.version, a.version) || a.name.length - b.name.length;
}

function releaseOf({name}: Package): string {
	return name.replace(/^linux-image-/, '').replace(/-unsigned$/, '');
}

/** The packages of an image, image first; undefined if one of them is not (or no longer) in the archive. */
function packagesOf(indices: readonly PackageIndex[], image: Package): readonly Package[] | undefined {
	const release = releaseOf(image);
	const headers = newest(indices, `linux-headers-${release}`);
	if (!headers) return undefined;
	// The headers depend on their common part and on kbuild; from about 7.0 on, the image is split in several packages,
	// too.
	const names = [
		...dependenciesOf(image).filter(name => name.startsWith('linux-') && name.includes(release)),
		...dependenciesOf(headers).filter(name => /^linux-(?:headers|kbuild)-/.test(name)),
	];
	const parts = names.map(name => newest(indices, name));
	return parts.every(part => part !== undefined) ? [image, headers, ...parts] : undefined;
}

function dependenciesOf({depends}: Package): readonly string[] {
	return depends.split(/[,|]/).map(name => name.replace(/\(.*/, '').trim());
}

async function describe(id: string, release: string, root: string, packages: readonly Package[]): Promise<Kernel> {
	const modules = [`usr/lib/modules/${release}`, `lib/modules/${release}`]
		.map(directory => path.join(root, directory))
		.find(directory => existsSync(directory));
	const image = packages[0]!;
	const vmlinux = path.join(root, 'vmlinux');
	return {
		id,
		release,
		bzImage: imageIn(root, release),
		...(existsSync(vmlinux) && {vmlinux}),
		buildTree: path.join(root, 'usr/src', `linux-headers-${release}`),
		...(modules && {modules}),
		origin: `Debian ${image.name} ${image.version}`,
		flavour: 'cloud',
		config: path.join(root, 'usr/src', `linux-headers-${release}`, '.config'),
	};
}

/**
 * The headers include each other by absolute paths below /usr/src; make them relative, because ours are in the cache.
 */
async function makeUsable(directory: string, release: string): Promise<void> {
	const sources = path.join(directory, 'usr/src');
	for (const tree of await readdir(sources)) {
		for (const name of ['Makefile', '.kernelvariables']) {
			const file = path.join(sources, tree, name);
			if (!existsSync(file)) continue;
			const text = await readFile(file, 'utf8');
			await writeFile(
				file,
				text.replaceAll('/usr/src/linux-headers-', '$(dir $(abspath $(lastword $(MAKEFILE_LIST))))../linux-headers-'),
			);
		}
	}
	await extractVmlinux(imageIn(directory, release), path.join(directory, 'vmlinux'));
}

function imageIn(root: string, release: string): string {
	const places = [path.join('boot', `vmlinuz-${release}`), path.join('usr/lib/modules', release, 'vmlinuz')];
	const found = places.map(place => path.join(root, place)).find(file => existsSync(file));
	if (!found) throw new UsageError(`The packages of Linux ${release} hold no kernel where one was expected.`);
	return found;
}

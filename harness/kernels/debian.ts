import {existsSync} from 'node:fs';
import {readdir, readFile, writeFile} from 'node:fs/promises';
import path from 'node:path';
import {cacheDirectory} from '../host/cache.ts';
import {defaultMaxAgeMs, loadIndex} from '../host/debian/archive.ts';
import {newest, newestOf} from '../host/debian/closure.ts';
import type {Package, PackageIndex} from '../host/debian/deb822.ts';
import {packageTree} from '../host/debian/tree.ts';
import {UsageError} from '../host/errors.ts';
import {readRecent, remember} from '../host/memo.ts';
import type {DebianRow} from './catalogue.ts';
import type {Kernel} from './kernel.ts';
import type {ObtainOptions} from './obtain.ts';
import {extractVmlinux} from './vmlinux.ts';

/** The newest cloud image and headers of a series in its suites. */
export async function obtainDebianKernel(id: string, row: DebianRow, options: ObtainOptions): Promise<Kernel> {
	const memo = path.join(cacheDirectory('kernels'), `${id}.json`);
	if (!options.refresh) {
		const kernel = await readRecent<Kernel>(memo, defaultMaxAgeMs, isWhole);
		if (kernel) return kernel;
	}
	const {release, packages} = await resolveDebianKernel(id, row, options);
	const root = await packageTree(`${id}-${release}`, packages, {
		signal: options.signal,
		keep: file => !file.startsWith('usr/share/'),
		finish: directory => makeRelocatable(directory, release),
		recipe: '2',
	});
	const kernel = await describe(id, release, root, packages);
	await remember(memo, kernel);
	return kernel;
}

/** What would be fetched. */
export async function resolveDebianKernel(
	id: string,
	{series, suites}: DebianRow,
	{signal, refresh}: ObtainOptions,
): Promise<{release: string; packages: readonly Package[]}> {
	const indices = await Promise.all(suites.map(suite => loadIndex(suite, {signal, ...(refresh && {maxAgeMs: 0})})));
	const escaped = series.replaceAll('.', '\\.');
	const images = indices.flatMap(index => index.match(new RegExp(`linux-image-${escaped}\\.[^ \\n]*cloud-amd64(?:-unsigned)?`)));
	const image = newestOf(images);
	if (!image) throw new UsageError(`${id}: no linux-image-${series}.*-cloud-amd64 in ${suites.map(({suite}) => suite).join(', ')}.`);
	const release = image.name.replace(/^linux-image-/, '').replace(/-unsigned$/, '');
	const headers = find(indices, `linux-headers-${release}`);
	// The headers name the common part and the tools they belong to.
	const others = headers.depends
		.split(',')
		.map(name => name.replace(/\(.*/, '').trim())
		.filter(name => /^linux-(headers|kbuild)-/.test(name))
		.map(name => find(indices, name));
	return {release, packages: [image, headers, ...others, ...modulesPackage(indices, release, image)]};
}

/** From 6.13 or so on the modules are a package of their own. */
function modulesPackage(indices: readonly PackageIndex[], release: string, image: Package): readonly Package[] {
	const match = /linux-(?:modules|binary)-[^ ,|]+/.exec(image.depends);
	return match?.[0].includes(release) ? [find(indices, match[0])] : [];
}

function find(indices: readonly PackageIndex[], name: string): Package {
	const found = newest(indices, name);
	if (!found) throw new UsageError(`The Debian archive has the kernel's image but no ${name}; try again later.`);
	return found;
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
		bzImage: path.join(root, 'boot', `vmlinuz-${release}`),
		...(existsSync(vmlinux) && {vmlinux}),
		buildTree: path.join(root, 'usr/src', `linux-headers-${release}`),
		...(modules && {modules}),
		origin: `Debian ${image.name} ${image.version}`,
		flavour: 'cloud',
		config: path.join(root, 'boot', `config-${release}`),
	};
}

/** The headers include each other by absolute paths below /usr/src; ours lie elsewhere, so they look beside themselves. */
async function makeRelocatable(directory: string, release: string): Promise<void> {
	const sources = path.join(directory, 'usr/src');
	for (const tree of await readdir(sources)) {
		for (const name of ['Makefile', '.kernelvariables']) {
			const file = path.join(sources, tree, name);
			if (!existsSync(file)) continue;
			const text = await readFile(file, 'utf8');
			await writeFile(file, text.replaceAll('/usr/src/linux-headers-', '$(dir $(abspath $(lastword $(MAKEFILE_LIST))))../linux-headers-'));
		}
	}
	await extractVmlinux(path.join(directory, 'boot', `vmlinuz-${release}`), path.join(directory, 'vmlinux'));
}

function isWhole({bzImage, buildTree}: Kernel): boolean {
	return existsSync(bzImage) && existsSync(buildTree);
}

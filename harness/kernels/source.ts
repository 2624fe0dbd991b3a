// SPDX-License-Identifier: GPL-2.0
import {createHash} from 'node:crypto';
import {existsSync} from 'node:fs';
import {readFile} from 'node:fs/promises';
import path from 'node:path';
import {cacheDirectory} from '../host/cache.ts';
import {NetworkError, NotFoundError, UsageError} from '../host/errors.ts';
import {readCached, writeCached} from '../host/json-cache.ts';
import {requireFitPath} from '../host/place.ts';
import {say} from '../host/say.ts';
import {debianSource} from './debian-source.ts';
import {fetchRelease, unpackRelease} from './download-release.ts';
import type {Fragment} from './fragment.ts';
import {formatOptions} from './kconfig.ts';
import {isKernel, isKernelWhole, type Kernel, type ObtainOptions} from './kernel.ts';
import {fileNameOf, type KernelId} from './kernel-id.ts';
import {recipeOf} from './recipe.ts';
import {buildKernel, type Source} from './source-build.ts';
import {cloneTree, identityOfTree, inspectTree, missingIn, requireVersion, type SourceTree} from './source-tree.ts';
import {KernelUnavailableError} from './unavailable.ts';
import {isPvhKernel} from './vmlinux.ts';
import {requireWholeTree} from './whole-tree.ts';

type ReleaseId = Extract<KernelId, {kind: 'release'}>;
type DebianSourceId = Extract<KernelId, {kind: 'debian-source'}>;
type DirectoryId = Extract<KernelId, {kind: 'directory'}>;

/** What was last built under an id, and for a fragment, so that the id alone finds it again. */
type Memory = {readonly kernel: Kernel; readonly recipe: string; readonly source?: string};

type BuildOptions = Pick<ObtainOptions, 'signal' | 'prove' | 'fragment'>;

/**
 * Finds a release and returns the function that builds it: from `source`, or without it, from the cache, from the tree
 * of the last build, or from kernel.org, which is downloaded at once. Throws KernelUnavailableError if there is none.
 */
export async function findRelease(
	id: ReleaseId,
	{source, ...options}: ObtainOptions = {},
): Promise<() => Promise<Kernel>> {
	if (source !== undefined) {
		const tree = await treeOf(source, id.version);
		return () => fromTree(id, tree, options);
	}
	const {fragment} = options;
	const built = await builtBefore(id, fragment, id.version);
	if (built) return async () => built;
	const tree = await rememberedTree(id, fragment);
	if (tree) {
		return () => {
			say(`${id.id}: from ${tree.directory}, as last time.`);
			return fromTree(id, tree, options);
		};
	}
	const tarball = await fetchTarball(id, options);
	return () => fromTarball(id, tarball, options);
}

/** Debian's sources of a series, built here in a flavour: as they were at the last build, unless a newer one is asked for. */
export async function obtainDebianSource(id: DebianSourceId, options: ObtainOptions): Promise<Kernel> {
	const built = options.refresh ? undefined : await builtBefore(id, options.fragment);
	return built ?? fromTree(id, await inspectTree(await debianSource(id.series)), options);
}

/** What was last built under an id, if it would be built in the same way today. `version`: by default that of the kernel. */
async function builtBefore(
	id: KernelId,
	fragment: Fragment | undefined,
	version?: string,
): Promise<Kernel | undefined> {
	const memory = await recall(memoOf(id, fragment));
	if (!memory || !(await isKernelWhole(memory.kernel))) return undefined;
	const {identity} = await recipeOf(version ?? memory.kernel.release, id.flavour, fragment);
	return memory.recipe === identity ? memory.kernel : undefined;
}

/** A tree by its path: used as it is if built, else built elsewhere. Throws UsageError for a half-built tree. */
export async function obtainDirectory(id: DirectoryId, options: ObtainOptions): Promise<Kernel> {
	const tree = await inspectTree(id.directory);
	if (tree.state === 'clean') return fromTree(id, tree, options);
	if (tree.state === 'half-built') {
		throw new UsageError(
			`${id.directory} is half built: it has no ${missingIn(id.directory).join(', ')}. Finish its build (make bzImage modules), or give it as --source of Linux ${tree.version} to have it built elsewhere.`,
		);
	}
	if (id.flavour !== 'base') {
		throw new UsageError(
			`${id.directory} is built already; give it as --source of ${tree.version}+${id.flavour} to have that built elsewhere.`,
		);
	}
	requireFitPath(id.directory, 'The built kernel');
	const inside = (file: string) => path.join(id.directory, file);
	return {
		id: id.id,
		release: (await readFile(inside('include/config/kernel.release'), 'utf8')).trim(),
		bzImage: inside('arch/x86/boot/bzImage'),
		...((await isPvhKernel(inside('vmlinux'))) && {vmlinux: inside('vmlinux')}),
		symbols: inside('vmlinux'),
		buildTree: id.directory,
		kallsyms: inside('System.map'),
		origin: `built tree ${id.directory}`,
		flavour: 'as built',
		config: inside('.config'),
	};
}

async function treeOf(directory: string, version: string): Promise<SourceTree> {
	const tree = await inspectTree(path.resolve(directory));
	requireVersion(tree, version);
	return tree;
}

async function fromTree(id: KernelId, tree: SourceTree, options: BuildOptions): Promise<Kernel> {
	const {signal} = options;
	requireWholeTree(tree);
	const source = {
		version: tree.version,
		origin: `Linux ${tree.version} from ${tree.directory}`,
		identity: await identityOfTree(tree.directory, {signal}),
		provide: (directory: string) => cloneTree(tree.directory, directory, {signal}),
	};
	return buildAndRemember(id, source, {...options, tree: tree.directory});
}

type Tarball = {readonly file: string; readonly sha256: string};

async function fetchTarball(id: ReleaseId, {signal}: BuildOptions): Promise<Tarball> {
	try {
		return await fetchRelease(id.version, {signal});
	} catch (error) {
		if (!(error instanceof NetworkError || error instanceof NotFoundError)) throw error;
		throw new KernelUnavailableError(id.id, {
			reason: error.message,
			advice: `Give a Linux ${id.version} tree with --source DIR.`,
			cause: error,
		});
	}
}

async function fromTarball(id: ReleaseId, {file, sha256}: Tarball, options: BuildOptions): Promise<Kernel> {
	const {signal} = options;
	const source = {
		version: id.version,
		origin: `Linux ${id.version} from kernel.org`,
		identity: sha256,
		provide: (directory: string) => unpackRelease(file, directory, {signal}),
	};
	return buildAndRemember(id, source, options);
}

async function buildAndRemember(
	id: KernelId,
	source: Source,
	{tree, ...options}: BuildOptions & {tree?: string},
): Promise<Kernel> {
	const kernel = await buildKernel(id, source, options);
	const {identity} = await recipeOf(source.version, id.flavour, options.fragment);
	const memory: Memory = {kernel, recipe: identity, ...(tree !== undefined && {source: tree})};
	await writeCached(memoOf(id, options.fragment), memory);
	return kernel;
}

/** The kernel of that id in the cache, however old, or undefined. */
export async function cachedSourceKernel(id: KernelId): Promise<Kernel | undefined> {
	const kernel = (await recall(memoOf(id)))?.kernel;
	return kernel && (await isKernelWhole(kernel)) ? kernel : undefined;
}

/** The tree that this version was last built from, in any flavour, if it still exists and still has this version. */
async function rememberedTree(id: ReleaseId, fragment: Fragment | undefined): Promise<SourceTree | undefined> {
	for (const memo of new Set([memoOf(id, fragment), memoOf(id), memoOf({id: id.version})])) {
		const directory = (await recall(memo))?.source;
		if (directory === undefined || !existsSync(directory)) continue;
		try {
			return await treeOf(directory, id.version);
		} catch (error) {
			if (!(error instanceof UsageError)) throw error;
			say(`${id.id}: the tree of last time cannot be used: ${error.message}`);
		}
	}
	return undefined;
}

async function recall(memo: string): Promise<Memory | undefined> {
	return readCached<Memory>(memo, Number.POSITIVE_INFINITY, ({kernel}) => isKernel(kernel));
}

function memoOf(id: {readonly id: string}, fragment?: Fragment): string {
	const hash = fragment && createHash('sha256').update(formatOptions(fragment.options)).digest('hex').slice(0, 12);
	return path.join(cacheDirectory('kernels'), `${fileNameOf(id)}${hash ? `-${hash}` : ''}.source.json`);
}

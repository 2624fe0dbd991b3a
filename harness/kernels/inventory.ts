// SPDX-License-Identifier: GPL-2.0
import {existsSync} from 'node:fs';
import {readdir, rm, stat} from 'node:fs/promises';
import path from 'node:path';
import {cacheDirectory, locked} from '../host/cache.ts';
import {readCached, readRecord, writeCached} from '../host/json-cache.ts';
import {say} from '../host/say.ts';
import {knownKernels} from './catalogue.ts';
import {isKernel, type Kernel} from './kernel.ts';

export type ListedKernel = {
	readonly id: string;
	/** Set if the kernel is in the cache. */
	readonly cached?: {readonly release: string; readonly origin: string; readonly sizeBytes: number};
};

/** The known kernels, and those that were built here besides. */
export async function listKernels(): Promise<readonly ListedKernel[]> {
	const cached = await cachedKernels();
	const ids = new Set([...knownKernels(), ...[...cached.keys()].toSorted()]);
	return Promise.all(
		[...ids].map(async id => {
			const kernel = cached.get(id);
			if (!kernel) return {id};
			const {release, origin} = kernel;
			return {id, cached: {release, origin, sizeBytes: await sizeOf(kernel)}};
		}),
	);
}

/**
 * Removes what nothing refers to: older kernels, compilers, builds, downloads, interrupted builds, and the files of
 * bisects except journals of unfinished ones. Returns the number of bytes freed.
 */
export async function pruneCache({signal}: {signal?: AbortSignal} = {}): Promise<number> {
	const memos = await readMemos();
	const texts = memos.map(memo => JSON.stringify(memo));
	const isNamed = (file: string) => texts.some(text => text.includes(JSON.stringify(file).slice(0, -1)));
	const unused = [
		...(await entries('trees')).filter(file => !isNamed(file)),
		...(await entries('built')).filter(file => !isNamed(file)),
		...(await oldBuilds()),
		...(await entries('work')),
		...(await entries('bisect')).filter(directory => !existsSync(path.join(directory, 'journal.jsonl'))),
		...(await entries('tarballs')),
		...(await entries('debs')),
		...(await unusedFor(dayMs, ['objects', 'snapshots'])),
	];
	let freed = 0;
	for (const file of unused) {
		signal?.throwIfAborted();
		// Lock the name that the file's maker locks, so that nothing in use is removed.
		const name = path.join(
			path.dirname(file).replace(/work$/, 'built'),
			path.basename(file).replace(/\.\w+\.tmp$|\.part$/, ''),
		);
		freed += await locked(name, {signal}, async () => {
			if (!existsSync(file)) return 0;
			const size = await diskUsage(file);
			await rm(file, {recursive: true, force: true});
			say(`removed ${file}.`);
			return size;
		});
	}
	return freed;
}

const dayMs = 24 * 60 * 60_000;

/** Entries that have not been touched for `ms`. Users of these directories touch them. */
async function unusedFor(ms: number, kinds: readonly string[]): Promise<readonly string[]> {
	const all = (await Promise.all(kinds.map(entries))).flat();
	const times = await Promise.all(all.map(async file => (await stat(file)).mtimeMs));
	return all.filter((_, index) => Date.now() - times[index]! > ms);
}

const keptBuilds = 2;

/** Builds that newer ones of the same kind have replaced. */
async function oldBuilds(): Promise<readonly string[]> {
	const files = await entries('build');
	const kinds = Map.groupBy(await newestFirst(files), file => path.basename(file).replace(/-[0-9a-f]{16}.*$/, ''));
	return [...kinds.values()].flatMap(kind => kind.slice(keptBuilds));
}

async function newestFirst(files: readonly string[]): Promise<readonly string[]> {
	if (files.length === 0) return [];
	const {stdout = ''} = await run('ls', ['-dt', '--', ...files]);
	return stdout.split('\n');
}

async function entries(name: string): Promise<readonly string[]> {
	const directory = cacheDirectory(name);
	return (await readdir(directory)).toSorted().map(entry => path.join(directory, entry));
}

async function readMemos(): Promise<readonly object[]> {
	const files = (await entries('kernels')).filter(file => file.endsWith('.json'));
	return (await Promise.all(files.map(readRecord))).filter(memo => memo !== undefined);
}

async function cachedKernels(): Promise<ReadonlyMap<string, Kernel>> {
	const kernels = new Map<string, Kernel>();
	for (const memo of await readMemos()) {
		// A kernel, a kernel with its recipe, or something else.
		const kernel: unknown = 'kernel' in memo ? memo.kernel : memo;
		if (isKernel(kernel) && existsSync(kernel.bzImage)) kernels.set(kernel.id, kernel);
	}
	return kernels;
}

async function sizeOf({bzImage, buildTree}: Kernel): Promise<number> {
	const roots = ['trees', 'built'].map(name => `${cacheDirectory(name)}/`);
	const root = roots.find(prefix => bzImage.startsWith(prefix));
	if (!root) return diskUsage(buildTree);
	return rememberedUsage(path.join(root, bzImage.slice(root.length).split('/')[0]!));
}

/**
 * Disk usage of a directory that never changes. It is cached: adding up ten thousand files would dominate a listing.
 */
async function rememberedUsage(directory: string): Promise<number> {
	const memo = path.join(cacheDirectory('sizes'), `${path.basename(directory)}.json`);
	const known = await readCached<{bytes: number}>(memo, Number.POSITIVE_INFINITY, ({bytes}) => Number.isFinite(bytes));
	if (known) return known.bytes;
	const bytes = await diskUsage(directory);
	await writeCached(memo, {bytes});
	return bytes;
}

async function diskUsage(file: string): Promise<number> {
	const {stdout} = await run('du', ['-sk', '--', file]);
	return (Number.parseInt(stdout ?? '', 10) || 0) * 1024;
}

/** Imports execa on demand, because loading it takes longer than listing the kernels. */
async function run(command: string, args: readonly string[]): Promise<{readonly stdout?: string}> {
	const {programs} = await import('../host/programs.ts');
	return programs()(command, args, {reject: false});
}

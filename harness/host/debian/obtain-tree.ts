// SPDX-License-Identifier: GPL-2.0
import path from 'node:path';
import {cacheDirectory, isWhole} from '../cache.ts';
import {readCached, writeCached} from '../json-cache.ts';
import {defaultMaxAgeMs, loadIndex, type Suite} from './archive.ts';
import {closure} from './resolve-dependencies.ts';
import {packageTree, type TreeOptions} from './unpack-packages.ts';

/** Which packages: `roots` and what they depend on, without `skip`, each as the newest that the suites have. */
export type PackageList = {
	readonly suites: readonly Suite[];
	readonly roots: readonly string[];
	readonly skip?: readonly string[];
};

export type ObtainTreeOptions = TreeOptions & {
	/** Name of the cache's note of what was unpacked; by default that of the tree. */
	readonly note?: string;
	/** Called before anything is fetched. */
	readonly onFetch?: () => Promise<void>;
};

/** Newer packages are looked for this long after the last time. */
const maxAgeMs = 30 * defaultMaxAgeMs;

/** The directory with these packages unpacked: from the cache, or fetched. Throws UsageError for a package there is not. */
export async function obtainTree(
	name: string,
	{suites, roots, skip}: PackageList,
	{note = name, onFetch, ...options}: ObtainTreeOptions = {},
): Promise<string> {
	const file = path.join(cacheDirectory('kernels'), `${note}.tree.json`);
	const wanted = JSON.stringify({suites, roots, skip, recipe: options.recipe});
	const isUsable = async (known: {root: string; wanted: string}) =>
		known.wanted === wanted && (await isWhole(known.root));
	const known = await readCached<{root: string; wanted: string}>(file, maxAgeMs, isUsable);
	if (known) return known.root;
	await onFetch?.();
	const {signal} = options;
	const indices = await Promise.all(suites.map(suite => loadIndex(suite, {signal})));
	const root = await packageTree(name, closure(indices, roots, {skip}), options);
	await writeCached(file, {root, wanted});
	return root;
}

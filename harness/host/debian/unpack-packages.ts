// SPDX-License-Identifier: GPL-2.0
import {createHash} from 'node:crypto';
import {rm} from 'node:fs/promises';
import path from 'node:path';
import {cacheDirectory, immutableDirectory} from '../cache.ts';
import {download} from '../download.ts';
import {say} from '../say.ts';
import {unpackDeb} from './deb.ts';
import type {Package} from './deb822.ts';

export type TreeOptions = {
	readonly signal?: AbortSignal;
	readonly keep?: (path: string) => boolean;
	/** Last touches before the tree gets its name. */
	readonly finish?: (directory: string) => Promise<void>;
	/** Changes the name when what `keep` and `finish` do changes. */
	readonly recipe?: string;
};

/** The packages unpacked together into one immutable directory of the cache, named by their content. */
export async function packageTree(
	name: string,
	packages: readonly Package[],
	{signal, keep, finish, recipe = ''}: TreeOptions = {},
): Promise<string> {
	const identity = createHash('sha256').update(recipe);
	for (const {sha256} of packages) identity.update(sha256);
	const final = path.join(cacheDirectory('trees'), `${name}-${identity.digest('hex').slice(0, 12)}`);
	return immutableDirectory(
		final,
		async temporary => {
			const debs = cacheDirectory('debs');
			const total = packages.reduce((sum, {sizeBytes}) => sum + sizeBytes, 0);
			say(`downloading ${name}: ${packages.length} packages, ${Math.ceil(total / 1e6)} MB.`);
			await eachLimited(packages, 4, async ({url, sha256}) => {
				const destination = path.join(debs, `${sha256}.deb`);
				await download({url, destination, sha256}, {signal});
			});
			for (const {sha256} of packages) {
				signal?.throwIfAborted();
				await unpackDeb(path.join(debs, `${sha256}.deb`), temporary, {keep});
			}
			await finish?.(temporary);
			await Promise.all(packages.map(({sha256}) => rm(path.join(debs, `${sha256}.deb`), {force: true})));
		},
		{signal},
	);
}

async function eachLimited<T>(items: readonly T[], limit: number, work: (item: T) => Promise<void>): Promise<void> {
	const queue = items.values();
	const ends = await Promise.allSettled(
		Array.from({length: limit}, async () => {
			for (const item of queue) await work(item);
		}),
	);
	for (const end of ends) if (end.status === 'rejected') throw end.reason;
}

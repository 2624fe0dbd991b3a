// SPDX-License-Identifier: GPL-2.0
import {writeFile} from 'node:fs/promises';
import path from 'node:path';
import {cacheDirectory, immutableDirectory} from '../host/cache.ts';
import {writeCached} from '../host/json-cache.ts';
import type {Kernel} from '../kernels/kernel.ts';

/** Puts a kernel into the cache; each of its files holds the kernel's id and its own name. */
export async function cacheKernel(kernel: Pick<Kernel, 'id' | 'release' | 'origin' | 'flavour'>): Promise<Kernel> {
	const directory = path.join(cacheDirectory('trees'), `${kernel.id}-0123456789ab`);
	await immutableDirectory(directory, async temporary => {
		for (const file of ['bzImage', 'tree', 'config'])
			await writeFile(path.join(temporary, file), `${kernel.id} ${file}\n`);
	});
	const [bzImage, buildTree, config] = ['bzImage', 'tree', 'config'].map(file => path.join(directory, file)) as [
		string,
		string,
		string,
	];
	const whole = {...kernel, bzImage, buildTree, config};
	await writeCached(path.join(cacheDirectory('kernels'), `${kernel.id}.json`), whole);
	return whole;
}

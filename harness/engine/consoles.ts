// SPDX-License-Identifier: GPL-2.0
import {randomBytes} from 'node:crypto';
import {readdir, rm} from 'node:fs/promises';
import path from 'node:path';
import {cacheDirectory} from '../host/cache.ts';

const keptRuns = 20;

export type Consoles = {
	/** Identifies the run: its start time and a random suffix. */
	readonly id: string;
	readonly consoles: string;
	/** The path of a new console file for the next guest of a kernel. */
	consolePath(kernel: string): string;
};

/** Chooses a directory in the cache for the consoles of one run; the consoles of the last runs are kept. */
export async function openConsoles(): Promise<Consoles> {
	const id = `${new Date().toISOString().replaceAll(/[-:]|\.\d+/g, '')}-${randomBytes(2).toString('hex')}`;
	const consoles = cacheDirectory('runs', id);
	await forgetOldRuns(path.dirname(consoles));
	let guests = 0;
	return {
		id,
		consoles,
		consolePath: kernel => path.join(consoles, `${kernel.replaceAll(/[^\w.+-]/g, '_')}-${++guests}.console`),
	};
}

async function forgetOldRuns(directory: string): Promise<void> {
	const runs = (await readdir(directory)).sort();
	for (const run of runs.slice(0, Math.max(0, runs.length - keptRuns))) {
		await rm(path.join(directory, run), {recursive: true, force: true});
	}
}

// SPDX-License-Identifier: GPL-2.0
import {readFile} from 'node:fs/promises';
import type {Kernel} from './kernel.ts';

const known = new WeakMap<object, Promise<ReadonlySet<string>>>();

/** The options that a kernel's configuration sets to `y`. Read once per kernel, because the file never changes. */
export async function builtInOptions(kernel: Pick<Kernel, 'config'>): Promise<ReadonlySet<string>> {
	const options = known.get(kernel) ?? readOptions(kernel.config);
	known.set(kernel, options);
	return options;
}

async function readOptions(config: string): Promise<ReadonlySet<string>> {
	const lines = (await readFile(config, 'utf8')).split('\n');
	return new Set(lines.filter(line => line.endsWith('=y')).map(line => line.slice(0, -'=y'.length)));
}

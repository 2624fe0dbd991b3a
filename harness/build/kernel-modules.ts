// SPDX-License-Identifier: GPL-2.0
import {readdir, readFile} from 'node:fs/promises';
import path from 'node:path';
import {gunzipSync, zstdDecompressSync} from 'node:zlib';
import {BuildError} from '../host/errors.ts';
import {programs} from '../host/programs.ts';
import type {Kernel} from '../kernels/kernel.ts';

/**
 * The kernel's modules of these names and their dependencies, uncompressed and in loading order. Built-in names give
 * nothing; a kernel without modules has all of them built in. Throws BuildError for an unknown name. Dependencies are
 * read from the modules, because Debian's packages have no modules.dep: depmod writes it at installation.
 */
export async function kernelModules(kernel: Kernel, names: readonly string[]): Promise<readonly KernelModule[]> {
	const directory = kernel.modules;
	if (!directory) return [];
	const files = new Map(
		(await readdir(directory, {recursive: true})).filter(isModule).map(file => [moduleName(file), file]),
	);
	const builtIn = new Set(
		(await readFile(path.join(directory, 'modules.builtin'), 'utf8')).split('\n').map(moduleName),
	);
	const ordered = new Map<string, KernelModule>();
	const visit = async (name: string): Promise<void> => {
		if (ordered.has(name) || builtIn.has(name)) return;
		const file = files.get(name);
		if (!file) throw new BuildError(`Linux ${kernel.release} has no module ${name}, and it is not built in.`);
		const data = await decompressed(path.join(directory, file));
		for (const needed of dependenciesOf(data)) await visit(needed);
		ordered.set(name, {path: `usr/lib/modules/${kernel.release}/${file.replace(/\.(?:xz|zst|gz)$/, '')}`, data});
	};
	for (const name of names) await visit(name);
	return [...ordered.values()];
}

export type KernelModule = {readonly path: string; readonly data: Buffer};

/** Reads `depends=` of a module's .modinfo. */
export function dependenciesOf(module: Buffer): readonly string[] {
	const key = Buffer.from('\0depends=');
	const at = module.indexOf(key);
	if (at < 0) return [];
	const start = at + key.length;
	return module.toString('latin1', start, module.indexOf(0, start)).split(',').filter(Boolean).map(moduleName);
}

function isModule(file: string): boolean {
	return /\.ko(?:\.\w+)?$/.test(file);
}

/** The name of a module by its file: `snd-pcm.ko.xz` is snd_pcm. */
export function moduleName(file: string): string {
	return path
		.basename(file)
		.replace(/\.ko(?:\.\w+)?$/, '')
		.replaceAll('-', '_');
}

async function decompressed(file: string): Promise<Buffer> {
	const bytes = await readFile(file);
	switch (path.extname(file)) {
		case '.ko':
			return bytes;
		case '.zst':
			return zstdDecompressSync(bytes);
		case '.gz':
			return gunzipSync(bytes);
		case '.xz':
			return Buffer.from((await programs()('xz', ['-dc'], {input: bytes, encoding: 'buffer'})).stdout);
		default:
			throw new BuildError(`${file} has an unknown compression.`);
	}
}

import {readFile} from 'node:fs/promises';
import path from 'node:path';
import {gunzipSync, zstdDecompressSync} from 'node:zlib';
import {execa} from 'execa';
import {BuildError} from '../host/errors.ts';
import type {Kernel} from '../kernels/kernel.ts';
import type {CpioEntry} from './cpio.ts';

/**
 * The kernel's own modules of those names and what they depend on, in the order they must be loaded, uncompressed.
 * Names that are built in (or that a kernel without modules surely has built in) give nothing.
 */
export async function kernelModules(kernel: Kernel, names: readonly string[]): Promise<readonly (CpioEntry & {data: Buffer})[]> {
	if (!kernel.modules) return [];
	const dependencies = parseDependencies(await readFile(path.join(kernel.modules, 'modules.dep'), 'utf8').catch(() => ''));
	const order = new Set<string>();
	const visit = (file: string) => {
		// modules.dep lists the nearest dependency first, so the last must be loaded first.
		for (const needed of (dependencies.get(file) ?? []).toReversed()) visit(needed);
		order.add(file);
	};
	for (const name of names) {
		const file = [...dependencies.keys()].find(candidate => moduleName(candidate) === name);
		if (file) visit(file);
	}
	return Promise.all(
		[...order].map(async file => ({
			path: `usr/lib/modules/${kernel.release}/${file.replace(/\.(?:xz|zst|gz)$/, '')}`,
			data: await decompressed(path.join(kernel.modules!, file)),
		})),
	);
}

export function parseDependencies(text: string): ReadonlyMap<string, readonly string[]> {
	return new Map(
		text
			.split('\n')
			.filter(line => line.includes(':'))
			.map(line => {
				const [file, rest] = line.split(':');
				return [file!, (rest ?? '').trim().split(/\s+/).filter(Boolean)];
			}),
	);
}

function moduleName(file: string): string {
	return path.basename(file).replace(/\.ko(?:\.\w+)?$/, '').replaceAll('-', '_');
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
			return Buffer.from((await execa('xz', ['-dc'], {input: bytes, encoding: 'buffer'})).stdout);
		default:
			throw new BuildError(`${file} is compressed in a way that is not known here.`);
	}
}

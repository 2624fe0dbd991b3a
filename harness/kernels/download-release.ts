// SPDX-License-Identifier: GPL-2.0
import {mkdir, readFile, rm} from 'node:fs/promises';
import path from 'node:path';
import {cacheDirectory} from '../host/cache.ts';
import {download} from '../host/download.ts';
import {UsageError} from '../host/errors.ts';
import {programs} from '../host/programs.ts';
import {say} from '../host/say.ts';
import {pinnedSha256} from './catalogue.ts';

type Options = {
	readonly signal?: AbortSignal;
	/** After this long without data, the download counts as failed. */
	readonly idleMs?: number;
	readonly minTimeoutMs?: number;
};

const patience = {retries: 2, idleMs: 20_000};

/**
 * Fetches and verifies a release's tarball. Throws NetworkError, NotFoundError or, for a wrong checksum, UsageError.
 */
export async function fetchRelease(version: string, options: Options = {}): Promise<{file: string; sha256: string}> {
	const name = `linux-${version}.tar.xz`;
	const directory = releaseDirectory(version);
	const sha256 = pinnedSha256(version) ?? (await listedSha256(directory, name, options));
	const file = path.join(cacheDirectory('tarballs'), `${sha256}-${name}`);
	await download(
		{url: `${directory}/${name}`, destination: file, sha256},
		{...patience, ...options, onBegin: () => say(`getting Linux ${version} from ${directory}.`)},
	);
	return {file, sha256};
}

/** Unpacks a verified tarball into `to`, which is emptied first. Throws UsageError. */
export async function unpackRelease(file: string, to: string, {signal}: {signal?: AbortSignal}): Promise<void> {
	await rm(to, {recursive: true, force: true});
	await mkdir(to, {recursive: true});
	const args = ['-xJf', file, '-C', to, '--strip-components=1', '--no-same-owner'];
	const {failed, stderr} = await programs()('tar', args, {reject: false, cancelSignal: signal});
	signal?.throwIfAborted();
	if (failed) throw new UsageError(`${file} cannot be unpacked: ${stderr.trim().split('\n').at(-1)}`);
}

function releaseDirectory(version: string): string {
	const base = process.env.PROBE_MATRIX_KERNEL_MIRROR || 'https://cdn.kernel.org/pub/linux/kernel';
	return `${base.replace(/\/+$/, '')}/v${version.split('.')[0]}.x`;
}

async function listedSha256(directory: string, name: string, options: Options): Promise<string> {
	const list = path.join(cacheDirectory('tarballs'), `${process.pid}-${name}.sums`);
	const url = `${directory}/sha256sums.asc`;
	try {
		await download({url, destination: list}, {...patience, ...options});
		const line = (await readFile(list, 'utf8')).split('\n').find(text => text.endsWith(`  ${name}`));
		const sha256 = /^[0-9a-f]{64}(?= )/.exec(line ?? '')?.[0];
		if (!sha256) throw new UsageError(`${url} lists no ${name}: kernel.org has no such release.`);
		return sha256;
	} finally {
		await rm(list, {force: true});
	}
}

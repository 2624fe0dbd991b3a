// SPDX-License-Identifier: GPL-2.0
import {rename, rm, stat} from 'node:fs/promises';
import path from 'node:path';
import {cacheDirectory} from '../cache.ts';
import {download} from '../download.ts';
import {errorCode, NetworkError, NotFoundError, UsageError} from '../errors.ts';
import {programs} from '../programs.ts';
import {say} from '../say.ts';
import {PackageIndex, parseParagraph, parseReleaseHashes} from './deb822.ts';
import {signedText} from './signature.ts';

export type Suite = {readonly archive: 'debian' | 'debian-security'; readonly suite: string};

type Options = {
	readonly signal?: AbortSignal;
	/** An index checked that recently is used as it is. */
	readonly maxAgeMs?: number;
	/** Replaces Debian's keyring in tests. */
	readonly keyring?: string;
};

/** An index is asked for anew after half a day, as the archive changes four times a day at most. */
export const defaultMaxAgeMs = 12 * 3600 * 1000;

function mirrorOf(archive: Suite['archive']): string {
	const {PROBE_MATRIX_MIRROR: main, PROBE_MATRIX_SECURITY_MIRROR: security} = process.env;
	const url =
		archive === 'debian' ? main || 'http://deb.debian.org/debian' : security || 'http://deb.debian.org/debian-security';
	return url.replace(/\/+$/, '');
}

/** The packages of a suite for amd64, authenticated by Debian's signature. Offline the cached index serves, if there is one. */
export async function loadIndex(suite: Suite, options: Options = {}): Promise<PackageIndex> {
	const mirror = mirrorOf(suite.archive);
	const release = await loadRelease(suite, mirror, options);
	const file = 'main/binary-amd64/Packages.xz';
	const wanted = parseReleaseHashes(release).get(file);
	if (!wanted) throw new UsageError(`The release file of ${suite.suite} at ${mirror} lists no ${file}.`);
	const compressed = path.join(cacheDirectory('index'), `${wanted.sha256}.xz`);
	const byHash = parseParagraph(release).get('acquire-by-hash') === 'yes';
	const location = byHash ? `main/binary-amd64/by-hash/SHA256/${wanted.sha256}` : file;
	await download(
		{url: `${mirror}/dists/${suite.suite}/${location}`, destination: compressed, sha256: wanted.sha256},
		options,
	);
	const {stdout} = await programs()('xz', ['-dc', compressed], {maxBuffer: 1 << 30, cancelSignal: options.signal});
	return new PackageIndex(stdout, mirror);
}

/** The signed text of InRelease. */
async function loadRelease({archive, suite}: Suite, mirror: string, options: Options): Promise<string> {
	const cached = path.join(cacheDirectory('index'), `${archive}_${suite}.InRelease`);
	const age = await ageOf(cached);
	if (age !== undefined && age < (options.maxAgeMs ?? defaultMaxAgeMs)) {
		// A torn file is fetched again.
		const text = await signedText(cached, options.keyring).catch(() => undefined);
		if (text !== undefined) return text;
	}
	const fresh = `${cached}.${process.pid}.new`;
	try {
		await download({url: `${mirror}/dists/${suite}/InRelease`, destination: fresh}, {...options, retries: 1});
		const text = await signedText(fresh, options.keyring);
		await rename(fresh, cached);
		return text;
	} catch (error) {
		if (error instanceof NotFoundError) {
			throw new NotFoundError(`${mirror} has no suite ${suite}: ${error.message}`, {cause: error});
		}
		if (!(error instanceof NetworkError) || age === undefined) throw error;
		say(`${mirror} cannot be reached; using the index of ${suite} from ${Math.round(age / 3_600_000)} h ago.`);
		return await signedText(cached, options.keyring);
	} finally {
		await rm(fresh, {force: true});
	}
}

async function ageOf(file: string): Promise<number | undefined> {
	try {
		return Date.now() - (await stat(file)).mtimeMs;
	} catch (error) {
		if (errorCode(error) === 'ENOENT') return undefined;
		throw error;
	}
}

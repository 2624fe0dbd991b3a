// SPDX-License-Identifier: GPL-2.0
import {createHash} from 'node:crypto';
import {createReadStream, createWriteStream} from 'node:fs';
import {rename, rm, stat} from 'node:fs/promises';
import {Readable} from 'node:stream';
import {pipeline} from 'node:stream/promises';
import pRetry from 'p-retry';
import {locked} from './cache.ts';
import {diskFull, errorCode, messageOf, NetworkError, NotFoundError, UsageError} from './errors.ts';

export type Download = {
	readonly url: string;
	readonly destination: string;
	/** In hexadecimal. Without it nothing is resumed, because no check would show whether the parts match. */
	readonly sha256?: string;
};

type Options = {
	readonly signal?: AbortSignal;
	readonly retries?: number;
	readonly minTimeoutMs?: number;
	/** After this long without data, the download counts as failed. */
	readonly idleMs?: number;
	/** Called when the server starts to send the file, unless a part of it is here already. */
	readonly onBegin?: () => void;
};

/**
 * Downloads `url` to `destination`, complete and verified or not at all. A partial file is resumed. Throws NetworkError
 * when network or server fail, UsageError for everything else that a user can fix.
 */
export async function download(wanted: Download, options: Options = {}): Promise<void> {
	const {signal, retries = 3, minTimeoutMs = 500} = options;
	await locked(wanted.destination, {signal}, async () => {
		if (await isHere(wanted)) return;
		await pRetry(() => attempt(wanted, options), {
			retries,
			minTimeout: minTimeoutMs,
			factor: 3,
			signal,
			shouldRetry: ({error}) => error instanceof NetworkError,
		});
	});
}

async function attempt(
	{url, destination, sha256}: Download,
	{signal, idleMs = 30_000, onBegin}: Options,
): Promise<void> {
	const part = `${destination}.part`;
	const resumed = sha256
		? await transfer(url, part, {signal, idleMs, onBegin})
		: await transferWhole(url, part, {signal, idleMs, onBegin});
	if (sha256) {
		const found = await sha256OfFile(part);
		if (found !== sha256) {
			await rm(part, {force: true});
			// The partial file may belong to an older version of the file.
			if (resumed) return attempt({url, destination, sha256}, {signal, idleMs, onBegin});
			throw new UsageError(`${url} has the SHA-256 ${found}, expected ${sha256}; the file was discarded.`);
		}
	}
	await rename(part, destination);
}

type TransferOptions = Pick<Options, 'signal' | 'onBegin'> & {readonly idleMs: number};

async function transferWhole(url: string, part: string, options: TransferOptions): Promise<false> {
	await rm(part, {force: true});
	await transfer(url, part, options);
	return false;
}

/** Returns whether the file contains bytes from an earlier attempt. */
async function transfer(url: string, part: string, {signal, idleMs, onBegin}: TransferOptions): Promise<boolean> {
	const have = await sizeOf(part);
	const idle = new AbortController();
	let timer = setTimeout(() => idle.abort(), idleMs);
	try {
		const response = await fetch(url, {
			headers: {...(have > 0 && {range: `bytes=${have}-`}), 'accept-encoding': 'identity'},
			signal: AbortSignal.any([idle.signal, ...(signal ? [signal] : [])]),
		});
		if (response.status === 416) {
			await rm(part, {force: true});
			throw new NetworkError(`${url} did not resume at byte ${have}.`);
		}
		if (response.status >= 500 || response.status === 429) {
			throw new NetworkError(`The server answered HTTP ${response.status} for ${url}.`);
		}
		if (response.status === 404) throw new NotFoundError(`${url} does not exist (HTTP 404).`);
		if (!response.ok || !response.body) throw new UsageError(`The server answered HTTP ${response.status} for ${url}.`);
		if (have === 0) onBegin?.();
		// A server may answer 206 to a request for the whole file, too.
		const isResumed = have > 0 && response.status === 206;
		await pipeline(
			Readable.fromWeb(response.body),
			async function* (chunks) {
				for await (const chunk of chunks) {
					clearTimeout(timer);
					timer = setTimeout(() => idle.abort(), idleMs);
					yield chunk;
				}
			},
			createWriteStream(part, {flags: isResumed ? 'a' : 'w'}),
		);
		return isResumed;
	} catch (error) {
		signal?.throwIfAborted();
		if (errorCode(error) === 'ENOSPC') {
			await rm(part, {force: true});
			throw diskFull(part, error);
		}
		if (error instanceof UsageError) throw error;
		if (idle.signal.aborted) throw new NetworkError(`${url}: no data for ${idleMs / 1000} s.`, {cause: error});
		// fetch reports every network error as a TypeError, with the reason as its cause.
		if (error instanceof TypeError) {
			const reason = error.cause ? messageOf(error.cause) : error.message;
			throw new NetworkError(`${url} could not be downloaded: ${reason || errorCode(error.cause)}.`, {cause: error});
		}
		throw error;
	} finally {
		clearTimeout(timer);
	}
}

async function sha256OfFile(file: string): Promise<string> {
	const hash = createHash('sha256');
	await pipeline(createReadStream(file), hash);
	return hash.digest('hex');
}

async function sizeOf(file: string): Promise<number> {
	try {
		return (await stat(file)).size;
	} catch (error) {
		if (errorCode(error) === 'ENOENT') return 0;
		throw error;
	}
}

/** Whether the file is here and whole: a power loss may have torn it since. */
async function isHere({destination, sha256}: Download): Promise<boolean> {
	return sha256 !== undefined && (await sizeOf(destination)) > 0 && (await sha256OfFile(destination)) === sha256;
}

// SPDX-License-Identifier: GPL-2.0
import {posix} from 'node:path';
import {Readable} from 'node:stream';
import {buffer} from 'node:stream/consumers';
import tar from 'tar-stream';
import {CommandFailedError} from '../host/errors.ts';
import {quoted} from '../host/quote.ts';
import type {GuestLink} from './guest-link.ts';

export type TransferFile = {readonly path: string; readonly data: Buffer; readonly mode?: number};

/** Writes files into the guest at once; relative paths are below /root. Throws like push. */
export async function pushFromRoot(
	link: GuestLink,
	files: readonly TransferFile[],
	options?: {signal?: AbortSignal | undefined},
): Promise<void> {
	const named = files.map(file => ({
		...file,
		path: posix.join('root', posix.relative('/root', posix.resolve('/root', file.path))),
	}));
	await push(link, '/', named, options);
}

/**
 * The last entry of an archive: tar does not notice an archive that is cut between two entries, so its absence must.
 */
const lastEntry = '.pushed';

/**
 * Writes files below `directory` in the guest. Throws CommandFailedError unless all arrive. Returns the archive's size
 * in bytes.
 */
export async function push(
	link: GuestLink,
	directory: string,
	files: readonly TransferFile[],
	{signal}: {signal?: AbortSignal | undefined} = {},
): Promise<number> {
	const pack = tar.pack();
	for (const {path, data, mode = 0o644} of [...files, {path: lastEntry, data: Buffer.alloc(0)}])
		pack.entry({name: path, mode, mtime: new Date(0), uid: 0, gid: 0}, data);
	pack.finalize();
	// tar-stream's types are streamx's; it iterates like a Node stream.
	const input = await buffer(Readable.from(pack as AsyncIterable<Buffer>));
	const target = quoted(directory);
	const isWhole = `rm ${lastEntry} || { echo 'the archive was cut' >&2; exit 1; }`;
	try {
		await link.exec(`mkdir -p ${target} && cd ${target} && tar -x -f - && ${isWhole}`, {input, signal});
	} catch (error) {
		if (!(error instanceof CommandFailedError)) throw error;
		// The whole line would hide the reason.
		throw new CommandFailedError('tar -x', error);
	}
	return input.length;
}

// SPDX-License-Identifier: GPL-2.0
import {Readable} from 'node:stream';
import {buffer} from 'node:stream/consumers';
import tar, {type Header} from 'tar-stream';
import {compressions} from './compressions.ts';

export type Entry = Partial<Header> & {name: string; content?: string | Buffer};

/** A Debian package with these files, or with `data` in place of their compressed archive. */
export async function debOf(
	entries: readonly Entry[],
	{suffix = '.gz', data}: {suffix?: '' | '.gz' | '.xz' | '.zst'; data?: Buffer} = {},
): Promise<Buffer> {
	const pack = tar.pack();
	for (const {content = '', ...header} of entries) pack.entry({mode: 0o644, ...header}, content);
	pack.finalize();
	const archive = await buffer(Readable.from(pack));
	return Buffer.concat([
		Buffer.from('!<arch>\n'),
		member('debian-binary', Buffer.from('2.0\n')),
		member(`data.tar${suffix}`, data ?? compressions[suffix]!(archive)),
	]);
}

function member(name: string, data: Uint8Array): Buffer {
	const header = `${name.padEnd(16)}${'0'.padEnd(12)}${'0'.padEnd(6)}${'0'.padEnd(6)}${'100644'.padEnd(8)}${String(data.length).padEnd(10)}\`\n`;
	return Buffer.concat([Buffer.from(header), data, Buffer.alloc(data.length % 2, '\n')]);
}

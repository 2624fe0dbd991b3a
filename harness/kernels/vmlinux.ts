// SPDX-License-Identifier: GPL-2.0
import {readFile, writeFile} from 'node:fs/promises';
import {gunzipSync, zstdDecompressSync} from 'node:zlib';
import {programs} from '../host/programs.ts';
import {decompressLz4Legacy} from './lz4.ts';

/**
 * Writes the ELF kernel inside a bzImage to `target`, if it can be booted through PVH; otherwise writes nothing. Under
 * TCG, a guest takes half a second or more to decompress a bzImage itself.
 */
export async function extractVmlinux(bzImage: string, target: string): Promise<void> {
	const image = await readFile(bzImage);
	const elf = await decompress(payloadOf(image));
	if (elf && hasPvhEntry(elf)) await writeFile(target, elf);
}

/** Whether QEMU can boot this ELF kernel directly. */
export async function isPvhKernel(file: string): Promise<boolean> {
	return hasPvhEntry(await readFile(file));
}

/** The compressed payload; by the boot protocol's header it follows the real-mode setup. */
function payloadOf(image: Buffer): Buffer {
	const setupBytes = ((image[0x1f1] || 4) + 1) * 512;
	const offset = setupBytes + image.readUInt32LE(0x248);
	return image.subarray(offset, offset + image.readUInt32LE(0x24c));
}

async function decompress(payload: Buffer): Promise<Buffer | undefined> {
	const magic = payload.toString('hex', 0, 6);
	// The last four bytes are the uncompressed size.
	const stream = payload.subarray(0, -4);
	if (magic.startsWith('1f8b')) return gunzipSync(stream);
	if (magic.startsWith('28b52ffd')) return zstdDecompressSync(stream);
	if (magic.startsWith('02214c18')) return decompressLz4Legacy(stream);
	if (magic === 'fd377a585a00') {
		const {stdout} = await programs()('xz', ['-dc', '--single-stream'], {
			input: stream,
			encoding: 'buffer',
			maxBuffer: 1 << 28,
		});
		return Buffer.from(stdout);
	}
	return undefined;
}

/** Looks for an ELF note with owner Xen and type 18 (XEN_ELFNOTE_PHYS32_ENTRY). */
function hasPvhEntry(elf: Buffer): boolean {
	const needle = Buffer.from([4, 0, 0, 0, 8, 0, 0, 0, 18, 0, 0, 0, 0x58, 0x65, 0x6e, 0]);
	const short = Buffer.from([4, 0, 0, 0, 4, 0, 0, 0, 18, 0, 0, 0, 0x58, 0x65, 0x6e, 0]);
	return elf.length > 64 && elf.readUInt32BE(0) === 0x7f454c46 && (elf.includes(needle) || elf.includes(short));
}

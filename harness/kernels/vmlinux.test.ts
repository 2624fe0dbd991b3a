// SPDX-License-Identifier: GPL-2.0
import {existsSync} from 'node:fs';
import {mkdtempDisposable, readFile, writeFile} from 'node:fs/promises';
import {tmpdir} from 'node:os';
import path from 'node:path';
import {gzipSync, zstdCompressSync} from 'node:zlib';
import test from 'ava';
import {execa} from 'execa';
import {extractVmlinux, isPvhKernel} from './vmlinux.ts';

const owner = Buffer.from('Xen\0');

/** An ELF file with a note of an owner of four bytes. */
function elf({type = 18, bytes = 8} = {}): Buffer {
	const note = Buffer.alloc(12);
	for (const [at, word] of [4, bytes, type].entries()) note.writeUInt32LE(word, 4 * at);
	return Buffer.concat([Buffer.from('\u007fELF'), Buffer.alloc(96, 'code'), note, owner, Buffer.alloc(8)]);
}

/** A bzImage of two sectors of setup, with a payload some bytes behind them. */
function bzImage(payload: Uint8Array, uncompressed: number): Buffer {
	const size = Buffer.alloc(4);
	size.writeUInt32LE(uncompressed);
	const image = Buffer.concat([Buffer.alloc(3 * 512 + 16, 0xcc), payload, size, Buffer.alloc(32, 0xcc)]);
	image[0x1f1] = 2;
	image.writeUInt32LE(16, 0x248);
	image.writeUInt32LE(payload.length + 4, 0x24c);
	return image;
}

const compressors: Readonly<Record<string, (data: Buffer) => Promise<Uint8Array> | Uint8Array>> = {
	gzip: data => gzipSync(data),
	zstd: data => zstdCompressSync(data),
	xz: async data => (await execa('xz', ['-c', '--check=crc32'], {input: data, encoding: 'buffer'})).stdout,
};

async function extract(image: Buffer): Promise<Buffer | undefined> {
	await using directory = await mkdtempDisposable(path.join(tmpdir(), 'vmlinux-'));
	const [from, to] = [path.join(directory.path, 'bzImage'), path.join(directory.path, 'vmlinux')];
	await writeFile(from, image);
	await extractVmlinux(from, to);
	return existsSync(to) ? await readFile(to) : undefined;
}

for (const [name, compress] of Object.entries(compressors)) {
	test(`a kernel that is compressed by ${name} is extracted if QEMU can boot it`, async t => {
		for (const kernel of [elf(), elf({bytes: 4})])
			t.deepEqual(await extract(bzImage(await compress(kernel), kernel.length)), kernel);
		const other = elf({type: 17});
		t.is(await extract(bzImage(await compress(other), other.length)), undefined);
	});
}

test('a kernel that is compressed in another way boots as it is', async t => {
	t.is(await extract(bzImage(Buffer.from('BZh91AY&SY'), 100)), undefined);
});

test('what is no ELF file with the note cannot be booted by QEMU', async t => {
	await using directory = await mkdtempDisposable(path.join(tmpdir(), 'vmlinux-'));
	const file = path.join(directory.path, 'vmlinux');
	for (const [content, isPvh] of [
		[elf(), true],
		[elf({type: 17}), false],
		[Buffer.concat([Buffer.from('?'), elf()]), false],
		[elf().subarray(0, 8), false],
	] as const) {
		await writeFile(file, content);
		t.is(await isPvhKernel(file), isPvh);
	}
});

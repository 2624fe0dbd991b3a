// SPDX-License-Identifier: GPL-2.0
const blockBytes = 8 << 20;

/** Decompresses LZ4's legacy frame, which kernel images use: a magic number, then blocks preceded by their sizes. */
export function decompressLz4Legacy(stream: Buffer): Buffer {
	const blocks: Buffer[] = [];
	for (let at = 4; at + 4 <= stream.length; ) {
		const size = stream.readUInt32LE(at);
		if (size === 0 || at + 4 + size > stream.length) break;
		blocks.push(decompressBlock(stream.subarray(at + 4, at + 4 + size)));
		at += 4 + size;
	}
	return Buffer.concat(blocks);
}

function decompressBlock(source: Buffer): Buffer {
	const target = Buffer.allocUnsafe(blockBytes);
	let from = 0;
	let to = 0;
	const extended = (nibble: number) => {
		let length = nibble;
		if (nibble < 15) return length;
		for (let byte = 255; byte === 255; length += byte) byte = source[from++]!;
		return length;
	};
	while (from < source.length) {
		const token = source[from++]!;
		const literals = extended(token >> 4);
		source.copy(target, to, from, from + literals);
		from += literals;
		to += literals;
		if (from >= source.length) break;
		const offset = source.readUInt16LE(from);
		from += 2;
		const length = extended(token & 15) + 4;
		if (offset === 0 || offset > to || to + length > blockBytes) throw new RangeError('This LZ4 block is damaged.');
		// A match may overlap its own output, which encodes runs; such a copy must go byte by byte.
		if (offset >= length) target.copy(target, to, to - offset, to - offset + length);
		else for (let index = 0; index < length; index += 1) target[to + index] = target[to + index - offset]!;
		to += length;
	}
	return target.subarray(0, to);
}

// SPDX-License-Identifier: GPL-2.0
import test from 'ava';
import {decompressLz4Legacy} from './lz4.ts';

/** Has a word over and over, a line that comes again after many others, a run of one letter, and literals between them. */
const many = Array.from({length: 94}, (_, n) => String.fromCharCode(33 + ((n * 7919) % 94))).join('');
const line = 'A line that comes again.\n';
const plain = `${'probe '.repeat(40)}${line}${many}${line}${'a'.repeat(600)}The end.\n`;

/** `lz4 -l -9` made it of the above. */
const frame = Buffer.from(
	'AiFMGJcAAABvcHJvYmUgBgDX/2hBIGxpbmUgdGhhdCBjb21lcyBhZ2Fpbi4KIThPZn02TWR7NEtieTJJYHcwR151LkVccyxDWnEqQVhvKD9WbSY9VGskO1JpIjlQZ343TmV8NUxjejNKYXgxSF92L0ZddC1EW3IrQllwKUBXbic+VWwlPFNqIzpRaHcABh9hAQD//0aQVGhlIGVuZC4K',
	'base64',
);
const block = frame.subarray(4);

test('what lz4 has compressed comes back', t => {
	t.is(decompressLz4Legacy(frame).toString(), plain);
});

test('a frame may have several blocks, and other bytes behind them', t => {
	t.is(decompressLz4Legacy(Buffer.concat([frame, block])).toString(), plain + plain);
	t.is(decompressLz4Legacy(Buffer.concat([frame, Buffer.alloc(8)])).toString(), plain);
	t.is(decompressLz4Legacy(Buffer.concat([frame, block.subarray(0, 60)])).toString(), plain, 'the second one is cut');
});

/** A frame of one block: the letter x, then a match of four bytes this far back. */
function match(offset: number): Buffer {
	const bytes = Buffer.from([0x10, 0x78, offset, 0, 0x00]);
	return Buffer.concat([frame.subarray(0, 4), Buffer.from([bytes.length, 0, 0, 0]), bytes]);
}

test('a match that begins where nothing is yet is damage', t => {
	t.is(decompressLz4Legacy(match(1)).toString(), 'xxxxx');
	for (const offset of [0, 2, 255]) t.throws(() => decompressLz4Legacy(match(offset)), {instanceOf: RangeError});
});

// SPDX-License-Identifier: GPL-2.0
/** What a loss of power, or a bad disk, makes of a file. */
export const damages: Readonly<Record<string, (data: Buffer) => Buffer>> = {
	cut: data => data.subarray(0, Math.floor(data.length / 2)),
	emptied: () => Buffer.alloc(0),
	'zero-filled': data => Buffer.alloc(data.length),
	flipped: data => {
		const copy = Buffer.from(data);
		const at = Math.floor(data.length / 3);
		copy[at] = data[at]! ^ 1;
		return copy;
	},
	'of another kind': () => Buffer.from('null'),
	'a list': () => Buffer.from('[1, 2]\n'),
};

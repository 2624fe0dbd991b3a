// SPDX-License-Identifier: GPL-2.0
import type {Hex} from '../agent-protocol.ts';

/** BPROBE_IOC_ATTACH and BPROBE_IOC_INFO. */
export const attachCommand: Hex = '0x40285060';
export const infoCommand: Hex = '0xc0d85061';
/** Of the structure when it was first published: BPROBE_INFO_FIRST_SIZE. */
export const infoFirstSize = 216;

/**
 * struct bprobe_attach of kmod/bprobe.h as bytes; omitted fields are 0. Without a list it is the first published
 * version, which has 40 bytes.
 */
export function attachBytes(
	{
		size = 40,
		flags = 0,
		fd = 0,
		point = 0,
		symbol = 0n,
		address = 0n,
		cookie = 0n,
		list,
	}: {
		size?: number;
		flags?: number;
		fd?: number;
		point?: number;
		symbol?: bigint;
		address?: bigint;
		cookie?: bigint;
		list?: {functions: bigint; count: number};
	} = {},
	{extra = ''}: {extra?: string} = {},
): string {
	const bytes = Buffer.alloc(list ? 64 : 40);
	bytes.writeUInt32LE(size, 0);
	bytes.writeUInt32LE(flags, 4);
	bytes.writeInt32LE(fd, 8);
	bytes.writeUInt32LE(point, 12);
	bytes.writeBigUInt64LE(symbol, 16);
	bytes.writeBigUInt64LE(address, 24);
	bytes.writeBigUInt64LE(cookie, 32);
	if (list) {
		bytes.writeBigUInt64LE(list.functions, 40);
		bytes.writeUInt32LE(list.count, 48);
	}
	return bytes.toString('hex') + extra;
}

/** struct bprobe_function with an address, but no name and no cookie. */
export function functionBytes(address: bigint): string {
	const bytes = Buffer.alloc(24);
	bytes.writeBigUInt64LE(address, 8);
	return bytes.toString('hex');
}

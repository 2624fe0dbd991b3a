import type {Hex} from '../../../link/agent-protocol.ts';

/** BPROBE_IOC_ATTACH. */
export const attachCommand: Hex = '0x40285060';

/** struct bprobe_attach of kmod/bprobe.h as bytes; what is left out is 0. */
export function attachBytes(
	{
		size = 40,
		flags = 0,
		fd = 0,
		point = 0,
		symbol = 0n,
		address = 0n,
	}: {
		size?: number;
		flags?: number;
		fd?: number;
		point?: number;
		symbol?: bigint;
		address?: bigint;
	} = {},
	{extra = ''}: {extra?: string} = {},
): string {
	const bytes = Buffer.alloc(40);
	bytes.writeUInt32LE(size, 0);
	bytes.writeUInt32LE(flags, 4);
	bytes.writeInt32LE(fd, 8);
	bytes.writeUInt32LE(point, 12);
	bytes.writeBigUInt64LE(symbol, 16);
	bytes.writeBigUInt64LE(address, 24);
	return bytes.toString('hex') + extra;
}

// SPDX-License-Identifier: GPL-2.0
/**
 * The kernel's description of itself for those who read its memory: release, addresses, sizes of structures. drgn needs
 * it. QEMU adds it only for a guest with a device and a driver that Linux before 4.17 and many configurations lack.
 */
import {open, readFile, rm} from 'node:fs/promises';
import type {Qmp} from '../qemu/qmp.ts';

/** Where it is in physical memory, as an ELF note, and what `uname -v` prints. */
export type VmcoreinfoPlace = {readonly address: number; readonly bytes: number; readonly version: string};

/** The command that tells the place in a guest; it fails on a kernel without this description. */
export const placeCommand = 'cat /sys/kernel/vmcoreinfo && uname -v';

export function parsePlace(text: string): VmcoreinfoPlace | undefined {
	const [, address, bytes, version] = /^(0x[\da-f]+) ([\da-f]+)\n(.+)/.exec(text) ?? [];
	if (!address || !bytes || !version) return undefined;
	return {address: Number(address), bytes: Number.parseInt(bytes, 16), version};
}

type Note = {readonly whole: Buffer; readonly text: Buffer; readonly textAt: number};

/**
 * Adds the description to a file in the format of makedumpfile that QEMU has written. The guest may be dead; if its
 * description is damaged, nothing is added.
 */
export async function addVmcoreinfo(
	file: string,
	{address, bytes, version}: VmcoreinfoPlace,
	qmp: Pick<Qmp, 'execute'>,
): Promise<void> {
	const scratch = `${file}.note`;
	try {
		await qmp.execute('pmemsave', {val: address, size: bytes, filename: scratch});
		const note = parseNote(await readFile(scratch));
		if (note) await addNote(file, note, version);
	} finally {
		await rm(scratch, {force: true});
	}
}

/** An ELF note: sizes of name and content, a type, then both. */
function parseNote(data: Buffer): Note | undefined {
	const [nameBytes, bytes] = [data.readUInt32LE(0), data.readUInt32LE(4)];
	const textAt = 12 + roundUp(nameBytes);
	const end = textAt + roundUp(bytes);
	if (data.toString('latin1', 12, 12 + nameBytes) !== 'VMCOREINFO\0' || end > data.length) return undefined;
	return {whole: data.subarray(0, end), text: data.subarray(textAt, textAt + bytes), textAt};
}

function roundUp(bytes: number): number {
	return Math.ceil(bytes / 4) * 4;
}

/** In struct disk_dump_header: six texts as in struct new_utsname, and the size of a block. */
const unameAt = 12;
const unameBytes = 65;
const blockSizeAt = 428;
/** In struct kdump_sub_header, the second block: offset and size of the text, then of all notes. */
const placesAt = 32;

async function addNote(file: string, {whole, text, textAt}: Note, version: string): Promise<void> {
	await using handle = await open(file, 'r+');
	const {size} = await handle.stat();
	const read = async (at: number, bytes: number) => (await handle.read(Buffer.alloc(bytes), 0, bytes, at)).buffer;
	const blockSize = (await read(blockSizeAt, 4)).readUInt32LE(0);
	const places = await read(blockSize + placesAt, 32);
	// Notes are in one piece.
	const notes = await read(Number(places.readBigUInt64LE(16)), Number(places.readBigUInt64LE(24)));
	const values = [size + notes.length + textAt, text.length, size, notes.length + whole.length];
	for (const [n, value] of values.entries()) places.writeBigUInt64LE(BigInt(value), n * 8);
	await handle.write(Buffer.concat([notes, whole]), 0, null, size);
	await handle.write(places, 0, places.length, blockSize + placesAt);
	const [, release = ''] = /^OSRELEASE=(.*)$/m.exec(text.toString('latin1')) ?? [];
	const uname = Buffer.alloc(6 * unameBytes);
	// drgn takes the processor from here, and only if the other texts are there.
	for (const [n, value] of ['Linux', '', release, version, 'x86_64'].entries())
		uname.write(value.slice(0, unameBytes - 1), n * unameBytes, 'latin1');
	await handle.write(uname, 0, uname.length, unameAt);
}

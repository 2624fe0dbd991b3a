// SPDX-License-Identifier: GPL-2.0
import {mkdtempDisposable, readdir, readFile, writeFile} from 'node:fs/promises';
import {tmpdir} from 'node:os';
import path from 'node:path';
import test from 'ava';
import type {Qmp} from '../qemu/qmp.ts';
import {addVmcoreinfo, parsePlace} from './vmcoreinfo.ts';

test('a kernel says where its description is; one without any, or without a version, does not', t => {
	const version = '#1 SMP PREEMPT_DYNAMIC Debian 6.1.192-1';
	t.deepEqual(parsePlace(`0x7f81000 1024\n${version}\n`), {address: 0x7f81000, bytes: 0x1024, version});
	for (const text of ['', version, '0x7f81000 1024\n', `7f81000 1024\n${version}`, `cat: no such file\n${version}`])
		t.is(parsePlace(text), undefined, text);
});

const place = {address: 0x7f81000, bytes: 4096, version: '#1 SMP'};
const blockSize = 512;
const oldNotes = Buffer.from('old notes...');

/** A file of memory with a header, one block of a sub-header, some notes, and a page. */
function memoryFile(): Buffer {
	const file = Buffer.alloc(3 * blockSize, 'p');
	file.fill(0, 0, 2 * blockSize);
	file.writeUInt32LE(blockSize, 428);
	oldNotes.copy(file, blockSize + 200);
	file.writeBigUInt64LE(BigInt(blockSize + 200), blockSize + 32 + 16);
	file.writeBigUInt64LE(BigInt(oldNotes.length), blockSize + 32 + 24);
	return file;
}

/** An ELF note of this name, in memory of which more follows. */
function noteOf(name: string, text: string, {bytes = text.length} = {}): Buffer {
	const header = Buffer.alloc(12);
	header.writeUInt32LE(name.length, 0);
	header.writeUInt32LE(bytes, 4);
	const padded = (part: string) => Buffer.from(part.padEnd(Math.ceil(part.length / 4) * 4, '\0'));
	return Buffer.concat([header, padded(name), padded(text)]);
}

/** Adds the description to a file. Returns what was asked of QEMU, and the file; nothing else is left. */
async function add(memory: Buffer, place_ = place) {
	await using directory = await mkdtempDisposable(path.join(tmpdir(), 'vmcoreinfo-'));
	const file = path.join(directory.path, 'memory');
	await writeFile(file, memoryFile());
	const asked: unknown[] = [];
	const execute = async (command: string, {filename, ...rest}: {filename: string}) => {
		asked.push([command, rest]);
		await writeFile(filename, memory);
	};
	const [settled] = await Promise.allSettled([addVmcoreinfo(file, place_, {execute} as unknown as Qmp)]);
	return {asked, settled, after: await readFile(file), left: await readdir(directory.path)};
}

const text = 'OSRELEASE=6.1.0-49-cloud-amd64\nPAGESIZE=4096\n.';

test('the description of a kernel is added behind the other notes, and its name where readers look for it', async t => {
	const note = noteOf('VMCOREINFO\0', text);
	const {asked, after, left} = await add(Buffer.concat([note, Buffer.alloc(100, 'x')]));
	t.deepEqual(asked, [['pmemsave', {val: place.address, size: place.bytes}]]);
	t.deepEqual(left, ['memory']);
	const before = memoryFile();
	t.deepEqual(after.subarray(before.length), Buffer.concat([oldNotes, note]));
	t.deepEqual(after.subarray(2 * blockSize, before.length), before.subarray(2 * blockSize), 'pages stay');
	const [textAt, textBytes, notesAt, notesBytes] = [0, 8, 16, 24].map(at =>
		Number(after.readBigUInt64LE(blockSize + 32 + at)),
	) as [number, number, number, number];
	t.is(after.toString('latin1', textAt, textAt + textBytes), text);
	t.deepEqual([notesAt, notesBytes], [before.length, oldNotes.length + note.length]);
	const uname = Array.from({length: 6}, (_, n) => after.toString('latin1', 12 + 65 * n, 12 + 65 * (n + 1)));
	t.deepEqual(
		uname.map(each => each.replace(/\0.*$/s, '')),
		['Linux', '', '6.1.0-49-cloud-amd64', '#1 SMP', 'x86_64', ''],
	);
});

test('a version that is too long for its place is cut, with an end', async t => {
	const {after} = await add(noteOf('VMCOREINFO\0', text), {...place, version: 'v'.repeat(100)});
	t.is(after.toString('latin1', 12 + 65 * 3, 12 + 65 * 4), `${'v'.repeat(64)}\0`);
	t.is(after.toString('latin1', 12 + 65 * 4, 12 + 65 * 4 + 7), 'x86_64\0');
});

for (const [what, memory] of [
	['of another name', noteOf('VMCOREINFX\0', text)],
	['that is longer than what was read', noteOf('VMCOREINFO\0', text, {bytes: 5000})],
	['of zeros', Buffer.alloc(64)],
] as const)
	test(`a description ${what} is damaged, and nothing is added`, async t => {
		const {settled, after, left} = await add(memory);
		t.is(settled.status, 'fulfilled');
		t.deepEqual(after, memoryFile());
		t.deepEqual(left, ['memory']);
	});

test('a QEMU that cannot read the memory is an error, and leaves nothing', async t => {
	await using directory = await mkdtempDisposable(path.join(tmpdir(), 'vmcoreinfo-'));
	const file = path.join(directory.path, 'memory');
	await writeFile(file, memoryFile());
	const execute = async (_: string, {filename}: {filename: string}) => {
		await writeFile(filename, 'half');
		throw new RangeError('refused');
	};
	await t.throwsAsync(addVmcoreinfo(file, place, {execute} as unknown as Qmp), {instanceOf: RangeError});
	t.deepEqual(await readdir(directory.path), ['memory']);
});

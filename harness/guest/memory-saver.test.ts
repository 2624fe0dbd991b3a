// SPDX-License-Identifier: GPL-2.0
import {existsSync} from 'node:fs';
import {mkdtemp, readFile, rm, stat, symlink, writeFile} from 'node:fs/promises';
import {tmpdir} from 'node:os';
import path from 'node:path';
import {inflateSync} from 'node:zlib';
import test from 'ava';
import {buildGuest, type GuestBuild} from '../build/guest-build.ts';
import {freeBytesOf} from '../host/disk-space.ts';
import {GuestError} from '../host/errors.ts';
import {obtainKernel} from '../kernels/obtain.ts';
import {captureStderr} from '../test/capture-stderr.ts';
import {guestPool} from './guest-pool.ts';
import {MemorySaver} from './memory-saver.ts';
import {parsePlace} from './vmcoreinfo.ts';

let guestBuild: GuestBuild;
let directory: string;

test.serial.before('build the guest', async t => {
	t.timeout(20 * 60_000);
	guestBuild = await buildGuest(await obtainKernel('debian-6.1'), {modules: [], files: async () => []});
	directory = await mkdtemp(path.join(tmpdir(), 'memory-'));
});

test.serial.after.always('remove the files', () => rm(directory, {recursive: true}));

const bootGuest = async (name: string) =>
	guestPool(guestBuild, {
		isolation: 'reuse',
		memories: new MemorySaver(),
		consolePath: () => path.join(directory, `${name}.console`),
	})();

test.serial('the memory of a guest that has reset itself is in a file for crash and drgn', async t => {
	t.timeout(300_000);
	await using guest = await bootGuest('panic');
	guest.exec('echo c > /proc/sysrq-trigger').catch(() => {});
	t.like(await guest.ended, {verdict: 'crash', message: 'The guest reset itself.'});
	const saved = await guest.saveMemory!();
	t.is(saved?.path, path.join(directory, 'panic.vmcore'));
	const file = await readFile(saved!.path);
	t.is(file.length, saved!.bytes);
	t.is((await stat(saved!.path)).mode & 0o777, 0o600);
	t.is(file.toString('latin1', 0, 8), 'KDUMP   ');
	t.is(file.toString('latin1', 12 + 4 * 65, 12 + 4 * 65 + 7), 'x86_64\0');
	t.regex(vmcoreinfoOf(file), new RegExp(`^OSRELEASE=${RegExp.escape(guest.release)}$`, 'm'));
	t.true(hasPage(file, `Linux version ${guest.release} `));
	t.false(existsSync(`${saved!.path}.note`));
});

test.serial('a guest that lives goes on after its memory was saved; on a full disk nothing is left', async t => {
	t.timeout(300_000);
	await using guest = await bootGuest('full');
	const file = path.join(directory, 'full.vmcore');
	await symlink('/dev/full', file);
	const words = await captureStderr(async () => t.is(await guest.saveMemory!(), undefined));
	t.regex(words, /a guest's memory is not saved: QEMU refused dump-guest-memory: dump: failed to write/);
	t.false(existsSync(file));
	t.true((await guest.saveMemory!())!.bytes > 0);
	t.is((await guest.exec('echo alive')).stdout, 'alive\n');
});

test.serial('a failure is said once, and after some files no more are written', async t => {
	let asked = 0;
	const qmp = {
		async execute(): Promise<never> {
			asked += 1;
			throw new GuestError('QEMU refused it.');
		},
	};
	const saver = new MemorySaver();
	const save = async () => saver.save({qmp, console: {path: path.join(directory, 'none.console')}});
	const words = await captureStderr(async () => {
		for (let n = 0; n < 20; n++) t.is(await save(), undefined);
	});
	t.is(words, "probe-matrix: a guest's memory is not saved: QEMU refused it.\n");
	t.is(asked, 8);
});

test.serial('a guest is not saved where only its memory would fit, and nothing else', async t => {
	// Half of what other files of a run are left.
	const bytes = (await freeBytesOf(directory)) - 2 ** 27;
	const commands: string[] = [];
	const qmp = {
		async execute<T>(command: string): Promise<T> {
			commands.push(command);
			return {'base-memory': bytes} as T;
		},
	};
	const words = await captureStderr(async () => {
		t.is(await new MemorySaver().save({qmp, console: {path: path.join(directory, 'large.console')}}), undefined);
	});
	t.regex(words, /a guest's memory is not saved: The disk that holds .* free, but a guest's memory needs/);
	t.deepEqual(commands, ['query-memory-size-summary']);
});

test.serial('a file that an interrupt cuts off is removed, without a word', async t => {
	const file = path.join(directory, 'cut.vmcore');
	const interrupt = new AbortController();
	const qmp = {
		async execute<T>(command: string): Promise<T> {
			if (command !== 'dump-guest-memory') return {'base-memory': 4096} as T;
			await writeFile(file, 'KDUMP');
			interrupt.abort();
			return new Promise<T>(() => {});
		},
	};
	const vm = {qmp, console: {path: path.join(directory, 'cut.console')}};
	const words = await captureStderr(async () => {
		t.is(await new MemorySaver().save(vm, {signal: interrupt.signal}), undefined);
	});
	t.is(words, '');
	t.false(existsSync(file));
});

test('the place of the description is where the kernel says', t => {
	t.deepEqual(parsePlace('0x00000000034b2000 1024\n#1 SMP Debian\n'), {
		address: 0x34b2000,
		bytes: 0x1024,
		version: '#1 SMP Debian',
	});
	t.is(parsePlace(''), undefined);
});

const blockBytes = 4096;

/** As struct kdump_sub_header says where it is. */
function vmcoreinfoOf(file: Buffer): string {
	const at = Number(file.readBigUInt64LE(blockBytes + 32));
	return file.toString('latin1', at, at + Number(file.readBigUInt64LE(blockBytes + 40)));
}

/** Whether a page of the guest has this text; pages are described after the header and the bitmaps. */
function hasPage(file: Buffer, text: string): boolean {
	const [headerBlocks, bitmapBlocks] = [file.readUInt32LE(432), file.readUInt32LE(436)];
	for (let at = (1 + headerBlocks + bitmapBlocks) * blockBytes; ; at += 24) {
		const [offset, bytes, isDeflated] = [
			Number(file.readBigUInt64LE(at)),
			file.readUInt32LE(at + 8),
			file.readUInt32LE(at + 12) === 1,
		];
		if (offset === 0 || offset + bytes > file.length) return false;
		const data = file.subarray(offset, offset + bytes);
		if ((isDeflated ? inflateSync(data) : data).includes(text)) return true;
	}
}

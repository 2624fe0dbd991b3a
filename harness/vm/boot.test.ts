// SPDX-License-Identifier: GPL-2.0
import {mkdtempDisposable, readFile, writeFile} from 'node:fs/promises';
import {tmpdir} from 'node:os';
import path from 'node:path';
import test from 'ava';
import {buildGuest} from '../build/guest-build.ts';
import {BootError} from '../host/errors.ts';
import {findQemu} from '../host/qemu.ts';
import {obtainKernel} from '../kernels/obtain.ts';
import {Vm} from '../qemu/vm.ts';
import {bprobeContent} from '../suites/bprobe/guest-content.ts';
import {Instance} from './instance.ts';

test('a kernel that does not boot gives its reason in the first line, then its console', async t => {
	t.timeout(10 * 60_000);
	const guestBuild = await buildGuest(await obtainKernel('debian-6.1'), bprobeContent());
	const error = await t.throwsAsync(Instance.boot(guestBuild, {commandLine: ['rdinit=/nothing']}), {
		instanceOf: BootError,
	});
	t.regex(
		error!.message,
		/^Linux 6\.1\.\S+ \(debian-6\.1\) did not boot: .*Unable to mount root fs.*\nThe end of its console:\n(?:.*\n)*.*mount_block_root/,
	);
});

test('of a kernel that panics and then stands still the reason is its panic, not the deadline', async t => {
	t.timeout(10 * 60_000);
	const {kernel, initramfs} = await buildGuest(await obtainKernel('debian-6.1'), bprobeContent());
	const commandLine = ['rdinit=/nothing', 'panic=0'];
	await using vm = await Vm.start({kernel, initramfs, commandLine, qemu: await findQemu(), memoryMib: 256});
	// As long as it takes.
	while (!vm.console.text.includes('end Kernel panic')) await vm.whileItIsUp(vm.console.refresh());
	const error = await t.throwsAsync(vm.whileItComesUp(new Promise(() => {}), {deadlineMs: 1}), {instanceOf: BootError});
	t.regex(error!.reason, /^Linux 6\.1\.\S+ did not boot: Kernel panic - not syncing: VFS: Unable to mount root fs/);
});

test('a kernel that dies silently is located by the symbol for its physical address', async t => {
	t.timeout(10 * 60_000);
	const {kernel, initramfs} = await buildGuest(await obtainKernel('debian-6.1'), bprobeContent());
	await using directory = await mkdtempDisposable(path.join(tmpdir(), 'broken-'));
	const [vmlinux, kallsyms] = ['vmlinux', 'kallsyms'].map(name => path.join(directory.path, name)) as [string, string];
	const elf = await readFile(kernel.vmlinux!);
	const entry = breakEntry(elf);
	await writeFile(vmlinux, elf);
	await writeFile(kallsyms, `${(0xffffffff80000000n + BigInt(entry) - 0x10n).toString(16)} T broken_entry\n`);
	const guestBuild = {kernel: {...kernel, vmlinux, kallsyms}, initramfs};
	const error = await t.throwsAsync(Instance.boot(guestBuild), {instanceOf: BootError});
	t.regex(error!.reason, /^Linux 6\.1\.\S+ did not boot: triple fault at broken_entry\+0x10$/);
	t.is(error!.console, '');
	t.true(error!.message.endsWith('\nIts console is empty.'));
});

/** Puts an invalid instruction at a kernel's PVH entry point. Returns its physical address. */
function breakEntry(elf: Buffer): number {
	const note = elf.indexOf(Buffer.from('\u0012\0\0\0Xen\0', 'latin1'));
	const entry = elf.readUInt32LE(note + 8);
	const headers = Array.from({length: elf.readUInt16LE(56)}, (_, n) => Number(elf.readBigUInt64LE(32)) + 56 * n);
	for (const header of headers) {
		const [offset, address, bytes] = [8, 24, 32].map(field => Number(elf.readBigUInt64LE(header + field))) as [
			number,
			number,
			number,
		];
		const isLoaded = elf.readUInt32LE(header) === 1;
		if (isLoaded && entry >= address && entry < address + bytes) elf.set([0x0f, 0x0b], offset + entry - address);
	}
	return entry;
}

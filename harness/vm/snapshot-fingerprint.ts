// SPDX-License-Identifier: GPL-2.0
import {createHash} from 'node:crypto';
import {readFile, realpath, stat} from 'node:fs/promises';
import {errorCode} from '../host/errors.ts';
import {qemuArguments, socketNames} from '../qemu/qemu-arguments.ts';
import {machineOf, type VmOptions} from '../qemu/vm.ts';

/** Everything that determines a booted guest. */
export type SnapshotVmOptions = Pick<VmOptions, 'qemu' | 'kernel' | 'initramfs' | 'memoryMib' | 'accelerator'>;

/** Hash of everything that determines a snapshot. If any of it differs, restoring fails or goes wrong. */
export async function snapshotFingerprint(options: SnapshotVmOptions): Promise<string> {
	const {qemu, kernel} = options;
	const nowhere = Object.fromEntries(socketNames.map(name => [name, name])) as Record<
		(typeof socketNames)[number],
		string
	>;
	const machine = machineOf(options, {
		consolePath: 'console',
		gdbSocket: 'gdb',
		resetLog: 'resets',
		sockets: nowhere,
	});
	const args = qemuArguments(qemu, kernel, machine);
	// The processor decides what a guest under KVM sees, and how fast the clock of one under TCG runs.
	const processor = /^model name.*$/m.exec(await readFile('/proc/cpuinfo', 'utf8'))?.[0];
	// Include mtimes of programs and images, because a path does not tell what was rebuilt.
	const files = [...qemu.command, ...args].filter(each => each.startsWith('/'));
	const identities = await Promise.all(files.map(identityOf));
	return hashOf([1, qemu.version, qemu.command, args, processor, identities]);
}

/** Fingerprint of a base into which something was pushed. */
export function loadedFingerprintOf(base: string, identity: string): string {
	return hashOf([1, base, identity]);
}

function hashOf(value: unknown): string {
	return createHash('sha256').update(JSON.stringify(value)).digest('hex');
}

async function identityOf(file: string): Promise<string> {
	try {
		const real = await realpath(file);
		const {size, mtimeMs, isDirectory} = await statOf(real);
		return isDirectory ? real : `${real} ${size} ${mtimeMs}`;
	} catch (error) {
		// A list of directories, as the dynamic loader takes it.
		if (errorCode(error) === 'ENOENT') return file;
		throw error;
	}
}

async function statOf(file: string): Promise<{size: number; mtimeMs: number; isDirectory: boolean}> {
	const {size, mtimeMs, ...rest} = await stat(file);
	return {size, mtimeMs, isDirectory: (rest.mode & 0o170000) === 0o040000};
}

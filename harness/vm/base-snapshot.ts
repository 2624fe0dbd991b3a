// SPDX-License-Identifier: GPL-2.0
import {chmod} from 'node:fs/promises';
import path from 'node:path';
import type {BootFiles} from '../build/guest-build.ts';
import {requireSpace} from '../host/disk-space.ts';
import {BootError, NeverBootedError} from '../host/errors.ts';
import {cpuMsOf} from '../host/process.ts';
import {findQemu} from '../host/qemu.ts';
import {say} from '../host/say.ts';
import {fileNameOf} from '../kernels/kernel-id.ts';
import {guestMemoryMib} from '../kernels/memory.ts';
import {Agent} from '../link/agent.ts';
import {Vm, type VmOptions} from '../qemu/vm.ts';
import {bootUntilClockIsRight, isClockRight, readClocks} from './clock.ts';
import {IdentityPort} from './identity.ts';
import {save} from './migration.ts';
import {obtainSnapshot, type Snapshot, type SnapshotRecord, writeRecord} from './snapshot-files.ts';
import {type SnapshotVmOptions, snapshotFingerprint} from './snapshot-fingerprint.ts';

export type SnapshotOptions = Pick<VmOptions, 'accelerator' | 'signal'>;

/** Every run that pushes something uses a base, so an older one is obsolete. */
const unusedMs = 60 * 60_000;

/** Options and fingerprint of a kernel's base: booted, its agent answers, and nothing has been pushed. */
export async function describeBase(
	{kernel, initramfs}: BootFiles,
	{accelerator = 'tcg', signal}: SnapshotOptions,
): Promise<{fingerprint: string; vmOptions: SnapshotVmOptions}> {
	const [qemu, memoryMib] = await Promise.all([findQemu({signal}), guestMemoryMib(kernel)]);
	const vmOptions = {qemu, kernel, initramfs, memoryMib, accelerator};
	return {fingerprint: await snapshotFingerprint(vmOptions), vmOptions};
}

/** The base from the cache, or a new one if there is none that is intact and has this fingerprint. */
export async function obtainBase(files: BootFiles, options: SnapshotOptions = {}): Promise<Snapshot> {
	const {signal} = options;
	const {fingerprint, vmOptions} = await describeBase(files, options);
	return obtainSnapshot({
		name: `${fileNameOf(files.kernel)}-base`,
		...{fingerprint, vmOptions, unusedMs, signal},
		make: directory => makeBase(directory, {fingerprint, vmOptions, signal}),
	});
}

type Making = {fingerprint: string; vmOptions: SnapshotVmOptions; signal: AbortSignal | undefined};

async function makeBase(directory: string, making: Making): Promise<void> {
	// If the disk fills up while the guest writes to its memory, QEMU is killed without a message.
	await requireSpace(directory, making.vmOptions.memoryMib * 2 ** 20, 'a snapshot');
	say(`booting ${making.vmOptions.kernel.id}.`);
	const times = await bootUntilClockIsRight(() => bootAndSave(directory, making)).catch((error: unknown) => {
		throw error instanceof BootError ? new NeverBootedError(error) : error;
	});
	await writeRecord(directory, {fingerprint: making.fingerprint, ...times});
}

/** Returns undefined if the guest's clock is wrong: every restored guest would inherit it. */
async function bootAndSave(
	directory: string,
	{vmOptions, signal}: Making,
): Promise<Pick<SnapshotRecord, 'guestMs' | 'bootCpuMs'> | undefined> {
	const {kernel, memoryMib} = vmOptions;
	const memory = path.join(directory, 'memory');
	const consolePath = path.join(directory, 'console');
	await using vm = await Vm.start({...vmOptions, memory: {file: memory, use: 'written'}, consolePath, signal});
	const deadlineMs = 60_000;
	await vm.whileItComesUp(new IdentityPort(vm.identity).asked(), {signal, deadlineMs});
	const agent = new Agent(vm.agent, vm.agent);
	await vm.whileItComesUp(agent.call('hello', {}), {signal, deadlineMs});
	const bootCpuMs = cpuMsOf(vm.pid);
	if (!(await vm.whileItComesUp(isClockRight(agent), {signal, deadlineMs}))) return undefined;
	const {guestMs} = await vm.whileItComesUp(readClocks(agent), {signal, deadlineMs});
	await vm.whileItComesUp(save(vm.qmp, path.join(directory, 'state'), {signal}), {signal, deadlineMs});
	await chmod(memory, 0o600);
	say(`${kernel.id}: snapshot saved, ${memoryMib} MiB.`);
	return {guestMs, bootCpuMs};
}

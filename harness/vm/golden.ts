import {chmod, utimes} from 'node:fs/promises';
import path from 'node:path';
import type {Payload} from '../build/payload.ts';
import {cacheDirectory, immutableDirectory, locked} from '../host/cache.ts';
import {BootError} from '../host/errors.ts';
import {cpuMsOf} from '../host/process.ts';
import {findQemu} from '../host/qemu.ts';
import {mustFit} from '../host/room.ts';
import {say} from '../host/say.ts';
import {fileNameOf} from '../kernels/kernel-id.ts';
import {guestMemoryMib} from '../kernels/memory.ts';
import {Agent} from '../link/agent.ts';
import {bootUntilClockIsRight, isClockRight, readClocks} from './clock.ts';
import {fingerprintOf, forgetUnused, type GoldenRecord, readRecord, removeGolden, writeRecord} from './golden-files.ts';
import {IdentityPort} from './identity.ts';
import {save} from './snapshot.ts';
import {Vm, type VmOptions} from './vm.ts';

/** A guest that has booted, loaded the modules and answers, saved before it knew who it is. */
export type Golden = Pick<GoldenRecord, 'guestMs' | 'bootCpuMs'> & {
	readonly directory: string;
	/** Never written again; any number of guests use it at once. */
	readonly memory: string;
	readonly state: string;
	/** What it was booted with, and what has to be the same for its copies. */
	readonly vmOptions: GoldenVmOptions;
};

/** All that decides what the guest is. */
export type GoldenVmOptions = Pick<VmOptions, 'qemu' | 'kernel' | 'initramfs' | 'memoryMib' | 'accelerator'>;

type GoldenOptions = Pick<VmOptions, 'accelerator' | 'signal'>;

/** The golden guest of a kernel from the cache, made if there is none that is whole and of the same make. */
export async function obtainGolden(
	{kernel, initramfs}: Pick<Payload, 'kernel' | 'initramfs'>,
	{accelerator = 'tcg', signal}: GoldenOptions = {},
): Promise<Golden> {
	const [qemu, memoryMib] = await Promise.all([findQemu({signal}), guestMemoryMib(kernel)]);
	const vmOptions = {qemu, kernel, initramfs, memoryMib, accelerator};
	const fingerprint = await fingerprintOf(vmOptions);
	const name = fileNameOf(kernel);
	const directory = path.join(cacheDirectory('golden'), `${name}-${fingerprint.slice(0, 16)}`);
	for (let attempt = 1; attempt <= 2; attempt++) {
		await immutableDirectory(
			directory,
			async temporary => {
				await forgetUnused(path.dirname(directory), name);
				await makeGolden(temporary, {fingerprint, vmOptions, signal});
			},
			{signal},
		);
		const record = await readRecord(directory, fingerprint);
		if (record) {
			// Whoever tidies up sees that it is of use.
			await utimes(directory, new Date(), new Date());
			return goldenOf(directory, record, vmOptions);
		}
		await discard(directory);
	}
	throw new BootError(`The saved guest in ${directory} is of no use each time it is made.`);
}

function goldenOf(directory: string, {guestMs, bootCpuMs}: GoldenRecord, vmOptions: GoldenVmOptions): Golden {
	return {
		directory,
		memory: path.join(directory, 'memory'),
		state: path.join(directory, 'state'),
		guestMs,
		bootCpuMs,
		vmOptions,
	};
}

/** For one whose copies are of no use though all its files are whole. */
export async function discardGolden({directory}: Golden): Promise<void> {
	await discard(directory);
}

async function discard(directory: string): Promise<void> {
	await locked(directory, {}, () => removeGolden(directory));
}

type Making = {fingerprint: string; vmOptions: GoldenVmOptions; signal: AbortSignal | undefined};

async function makeGolden(directory: string, making: Making): Promise<void> {
	// A disk that runs full while the guest writes to its memory would kill QEMU without a word.
	await mustFit(directory, making.vmOptions.memoryMib * 2 ** 20, 'a saved guest');
	say(`booting and saving a guest of ${making.vmOptions.kernel.id}.`);
	const times = await bootUntilClockIsRight(() => bootAndSave(directory, making));
	await writeRecord(directory, {fingerprint: making.fingerprint, ...times});
}

/** Nothing where the guest's clock is wrong: all its copies would have the same one. */
async function bootAndSave(
	directory: string,
	{vmOptions, signal}: Making,
): Promise<Pick<GoldenRecord, 'guestMs' | 'bootCpuMs'> | undefined> {
	const {kernel, memoryMib} = vmOptions;
	const memory = path.join(directory, 'memory');
	const consolePath = path.join(directory, 'console');
	await using vm = await Vm.start({...vmOptions, memory: {file: memory, use: 'written'}, consolePath, signal});
	const deadlineMs = 60_000;
	await vm.whileItComesUp(new IdentityPort(vm.identity).asked(), {signal, deadlineMs});
	const agent = new Agent(vm.agent, vm.agent);
	await vm.whileItComesUp(agent.call('hello', {}), {signal, deadlineMs});
	const bootCpuMs = cpuMsOf(vm.pid);
	if (!(await isClockRight(agent))) return undefined;
	await warmUp(agent);
	const {guestMs} = await readClocks(agent);
	await save(vm.qmp, path.join(directory, 'state'), {signal});
	await chmod(memory, 0o600);
	say(`${kernel.id} was saved, ${memoryMib} MiB.`);
	return {guestMs, bootCpuMs};
}

/** What the agent reads once, and then knows in each copy. */
async function warmUp(agent: Agent): Promise<void> {
	await agent.call('symbols', {names: ['fx_asm_fentry']});
}

import {access, constants} from 'node:fs/promises';
import path from 'node:path';
import {bootId} from './boot-id.ts';
import {cacheDirectory} from './cache.ts';
import {errorCode, messageOf, UsageError} from './errors.ts';
import {readCached, writeCached} from './json-cache.ts';
import type {Qemu} from './qemu.ts';
import {runTestGuest, type TestGuestEnd} from './test-guest.ts';

export const acceleratorNames = ['kvm', 'tcg'] as const;

export type AcceleratorName = (typeof acceleratorNames)[number];

export type Accelerator = {
	readonly name: AcceleratorName;
	/** Why this one, for people. */
	readonly reason: string;
	/** Millions of turns of an empty loop that a guest runs in a second; unknown where not even that one ran. */
	readonly speed?: number;
};

export type AcceleratorOptions = {
	/** Take this one. Throws UsageError where it is KVM and guests do not run. */
	readonly forced?: AcceleratorName | undefined;
	/** Ask the machine again, whatever it answered before. */
	readonly isFresh?: boolean;
	readonly signal?: AbortSignal | undefined;
	readonly kvmDevice?: string;
	/** How long the test guest may be silent. */
	readonly patienceMs?: number;
};

/** Emulation on a busy host is slow to begin, and there is nothing to fall back to. */
const tcgPatienceMs = 20_000;

/**
 * KVM where a guest runs with it, else TCG. That /dev/kvm opens says little: nested, it may run no guest at all or abort
 * at the first register. So a tiny guest is run, once per boot of the host.
 */
export async function findAccelerator(qemu: Qemu, options: AcceleratorOptions = {}): Promise<Accelerator> {
	const {forced, kvmDevice = '/dev/kvm'} = options;
	if (forced === 'tcg') return tcg(qemu, 'asked for', options);
	const refused = await whyNotOpened(kvmDevice);
	if (forced === 'kvm' && refused) throw new UsageError(`KVM cannot be used: ${refused}.`);
	if (refused) return tcg(qemu, refused, options);
	const kvm = await remembered('kvm', qemu, options, () => {
		const {patienceMs = 3000, signal} = options;
		return runTestGuest(qemu, ['-accel', 'kvm', '-cpu', 'host'], {patienceMs, signal});
	});
	if (kvm.ran) return {name: 'kvm', reason: `a test guest ran with ${kvmDevice}`, speed: kvm.speed};
	const why = `${kvmDevice} opens, but ${kvm.why}`;
	if (forced === 'kvm') throw new UsageError(`KVM cannot be used: ${why}`);
	return tcg(qemu, why, options);
}

async function tcg(qemu: Qemu, reason: string, options: AcceleratorOptions): Promise<Accelerator> {
	const end = await remembered('tcg', qemu, options, () => {
		const {signal} = options;
		return runTestGuest(qemu, ['-accel', 'tcg', '-cpu', 'max'], {patienceMs: tcgPatienceMs, signal});
	});
	return {name: 'tcg', reason, ...(end.ran && {speed: end.speed})};
}

async function whyNotOpened(device: string): Promise<string | undefined> {
	try {
		await access(device, constants.R_OK | constants.W_OK);
		return undefined;
	} catch (error) {
		if (errorCode(error) === 'ENOENT') return `${device} does not exist`;
		if (errorCode(error) === 'EACCES') return `${device} cannot be opened; join the group kvm`;
		return `${device} cannot be used: ${messageOf(error)}`;
	}
}

type Memory = {readonly bootId: string; readonly command: readonly string[]; readonly end: TestGuestEnd};

/** What was found out with this QEMU since the host has booted. */
async function remembered(
	name: AcceleratorName,
	{command}: Qemu,
	{isFresh = false}: AcceleratorOptions,
	find: () => Promise<TestGuestEnd>,
): Promise<TestGuestEnd> {
	const boot = bootId() ?? '';
	const memo = path.join(cacheDirectory('kernels'), `accelerator-${name}.json`);
	const isSame = (memory: Memory) => memory.bootId === boot && String(memory.command) === String(command);
	const known = isFresh ? undefined : await readCached<Memory>(memo, Number.POSITIVE_INFINITY, isSame);
	if (known) return known.end;
	const end = await find();
	await writeCached(memo, {bootId: boot, command, end} satisfies Memory);
	return end;
}

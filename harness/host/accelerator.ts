// SPDX-License-Identifier: GPL-2.0
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
	/** Why this one was chosen, for display. */
	readonly reason: string;
	/** Speed in million loop iterations per second in a guest; undefined if no test guest ran. */
	readonly speed?: number;
};

export type AcceleratorOptions = {
	/** Use this one. Throws UsageError if it is KVM and guests do not run with it. */
	readonly forced?: AcceleratorName | undefined;
	/** Ignore the cached result. */
	readonly isFresh?: boolean;
	readonly signal?: AbortSignal | undefined;
	readonly kvmDevice?: string;
	/** How long the test guest may be silent, in ms. */
	readonly patienceMs?: number;
};

/** TCG starts slowly on a busy host, and there is no fallback. */
const tcgPatienceMs = 20_000;

/**
 * Chooses KVM if a guest runs with it, else TCG. An accessible /dev/kvm is not enough: nested KVM may run no guest at
 * all, or abort at the first MSR. So a tiny guest is run, once per boot of the host.
 */
export async function findAccelerator(qemu: Qemu, options: AcceleratorOptions = {}): Promise<Accelerator> {
	const {forced, kvmDevice = '/dev/kvm'} = options;
	if (forced === 'tcg') return tcg(qemu, 'requested', options);
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

/** The result of `find`, cached per QEMU and boot of the host. */
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

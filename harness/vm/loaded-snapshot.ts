// SPDX-License-Identifier: GPL-2.0
import path from 'node:path';
import type {GuestBuild} from '../build/guest-build.ts';
import {fileNameOf} from '../kernels/kernel-id.ts';
import type {AgentOps} from '../link/agent-protocol.ts';
import {describeBase, type SnapshotOptions} from './base-snapshot.ts';
import {readClocks} from './clock.ts';
import type {Instance} from './instance.ts';
import {loadSuite, type Pushed} from './load-suite.ts';
import {Loader} from './loader.ts';
import {save} from './migration.ts';
import {obtainSnapshot, type Snapshot, writeRecord} from './snapshot-files.ts';
import {loadedFingerprintOf} from './snapshot-fingerprint.ts';

export type LoadedOptions = SnapshotOptions & {
	/** Called when something was pushed; not if the loaded snapshot is in the cache. */
	readonly onPushed?: (pushed: Pushed) => void;
	/** A loader that was started while the guest build was made; it is used if it fits, and disposed. */
	readonly loader?: (() => Promise<Loader | undefined>) | undefined;
};

/** Each edit makes a loaded snapshot, and each takes as much disk space as a guest has memory. */
const unusedMs = 15 * 60_000;

/**
 * The base with the suite loaded, saved as a snapshot: from the cache, or made if there is none that is intact. Throws
 * LoadError when a module does not load, GuestError when pushing fails.
 */
export async function obtainLoaded(guestBuild: GuestBuild, options: LoadedOptions = {}): Promise<Snapshot> {
	const {signal} = options;
	const {fingerprint: base, vmOptions} = await describeBase(guestBuild, options);
	const fingerprint = loadedFingerprintOf(base, guestBuild.identity);
	return obtainSnapshot({
		name: `${fileNameOf(guestBuild.kernel)}-loaded`,
		...{fingerprint, vmOptions, unusedMs, signal},
		// Pushing again is faster than verifying the memory file.
		fleeting: ['memory'],
		make: directory => makeLoaded(directory, guestBuild, {...options, fingerprint}),
	});
}

async function makeLoaded(
	directory: string,
	guestBuild: GuestBuild,
	{fingerprint, onPushed, loader: begun, ...options}: LoadedOptions & {fingerprint: string},
): Promise<void> {
	const {signal} = options;
	await using loader = (await begun?.()) ?? (await Loader.start(guestBuild, options));
	const {guest, base} = loader;
	const deadlineMs = 60_000;
	const {pushed, guestMs} = await guest.vm.whileItComesUp(fill(guest, guestBuild, signal), {signal, deadlineMs});
	const saving = save(guest.vm.qmp, path.join(directory, 'state'), {signal});
	await guest.vm.whileItComesUp(saving, {signal, deadlineMs});
	await loader.moveMemory(path.join(directory, 'memory'));
	await writeRecord(directory, {fingerprint, guestMs, bootCpuMs: base.bootCpuMs});
	onPushed?.(pushed);
}

async function fill(
	guest: Instance,
	guestBuild: GuestBuild,
	signal: AbortSignal | undefined,
): Promise<{pushed: Pushed; guestMs: number}> {
	const pushed = await loadSuite(guest, guestBuild, {signal});
	await guestBuild.content.warmUp?.((op, request) => guest.agent.call(op as keyof AgentOps, request as never));
	await guest.forgetIdentity();
	const {guestMs} = await readClocks(guest.agent);
	return {pushed, guestMs};
}

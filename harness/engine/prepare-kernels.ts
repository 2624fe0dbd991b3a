// SPDX-License-Identifier: GPL-2.0
import {type BootFiles, buildGuest, type GuestBuild} from '../build/guest-build.ts';
import type {GuestContent} from '../build/guest-content.ts';
import {obtainBootableKernel} from '../guest/bootable-kernel.ts';
import {BootError, BuildError} from '../host/errors.ts';
import {KernelUnavailableError} from '../kernels/unavailable.ts';
import type {CellName, KernelEvent} from '../results/run/events.ts';
import {failureOf} from './kernel-failure.ts';

export type PrepareOptions = {
	/** What is in the guests. */
	readonly content: GuestContent;
	/** A source tree to build releases from. */
	readonly source?: string;
	readonly signal: AbortSignal;
	/** Called if anything for the guests of a kernel must be built. */
	readonly onBuild?: (files: BootFiles) => void;
	/** Prepares kernels whose names are not those of the catalogue, such as commits of a bisection. */
	readonly prepare?: ((kernel: string) => Promise<GuestBuild>) | undefined;
};

/** Obtains a kernel and builds everything that its guests need. */
export async function prepareKernel(kernel: string, options: PrepareOptions): Promise<GuestBuild> {
	const {fragment} = options.content;
	return buildGuest(await obtainBootableKernel(kernel, {...options, fragment}), options.content, options);
}

/**
 * Prepares each kernel of the cells. A kernel that is unavailable or cannot be built or booted is reported by an event
 * and left out; the others still run. Throws UsageError for an unknown kernel name or an invalid source tree.
 */
export async function prepareKernels(
	cells: readonly Pick<CellName, 'kernel'>[],
	{
		emit,
		prepare = kernel => prepareKernel(kernel, options),
		...options
	}: PrepareOptions & {emit: (event: KernelEvent) => void},
): Promise<ReadonlyMap<string, GuestBuild>> {
	const guestBuilds = new Map<string, GuestBuild>();
	for (const [kernel, {length: notRun}] of Map.groupBy(cells, cell => cell.kernel)) {
		try {
			guestBuilds.set(kernel, await prepare(kernel));
		} catch (error) {
			options.signal.throwIfAborted();
			if (error instanceof KernelUnavailableError) {
				emit({type: 'kernel', kernel, state: 'unavailable', reason: `${error.reason} ${error.advice}`, notRun});
			} else if (error instanceof BuildError || error instanceof BootError) {
				emit(failureOf(kernel, {error, notRun}));
			} else {
				throw error;
			}
		}
	}
	return guestBuilds;
}

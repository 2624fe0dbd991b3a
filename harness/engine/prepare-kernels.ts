import {type BootFiles, buildGuest, type GuestBuild} from '../build/guest-build.ts';
import {obtainBootableKernel} from '../guest/bootable-kernel.ts';
import {BootError, BuildError} from '../host/errors.ts';
import {KernelUnavailableError} from '../kernels/unavailable.ts';
import type {CellName, KernelEvent} from '../results/run/events.ts';
import {failureOf} from './kernel-failure.ts';

export type PrepareOptions = {
	/** A tree to build releases from. */
	readonly source?: string;
	readonly signal: AbortSignal;
	/** Called if anything that goes into the guests of a kernel has to be built. */
	readonly onBuild?: (files: BootFiles) => void;
	/** Where kernels are not what the catalogue knows under these names: what their guests need. */
	readonly prepare?: ((kernel: string) => Promise<GuestBuild>) | undefined;
};

/** All that guests of a kernel need. */
export async function prepareKernel(kernel: string, options: PrepareOptions): Promise<GuestBuild> {
	return buildGuest(await obtainBootableKernel(kernel, options), options);
}

/**
 * The same for each kernel of the cells. One that cannot be had or built is told by an event and left out: the others are not its
 * matter. Throws UsageError for a name or tree that is none.
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

import os from 'node:os';
import type {BootFiles} from '../build/guest-build.ts';
import type {Guest} from '../guest/guest.ts';
import {guestPool} from '../guest/guest-pool.ts';
import type {Isolation} from '../guest/isolation.ts';
import {type AcceleratorName, findAccelerator} from '../host/accelerator.ts';
import {findQemu} from '../host/qemu.ts';
import {guestMemoryMib} from '../kernels/memory.ts';
import type {EndEvent, Event, Shard} from '../results/run/events.ts';
import {requireSameRun} from '../results/run/merge-runs.ts';
import {Loader} from '../vm/loader.ts';
import {type Consoles, openConsoles} from './consoles.ts';
import {describeRun} from './describe-run.ts';
import {Durations} from './durations.ts';
import type {Cell} from './plan.ts';
import {type PrepareOptions, prepareKernels} from './prepare-kernels.ts';
import type {EarlierRun} from './resume.ts';
import {runMatrix} from './run-matrix.ts';

/** What QEMU takes beside the guest's memory, most of it for translated code. */
const qemuMib = 256;

export type RunKernelsOptions = PrepareOptions & {
	readonly cells: readonly Cell[];
	readonly emit: (event: Event) => void;
	readonly isolation?: Isolation;
	readonly accelerator?: AcceleratorName | undefined;
	/** Where a run of several stages keeps those of all of them. */
	readonly consoles?: Consoles;
	readonly shard?: Shard | undefined;
	/** This run goes on with that one: it tells its events as its own, and `cells` are what it left. */
	readonly earlier?: EarlierRun | undefined;
	/** Whether a cell that fails is run once more to tell whether it is flaky; it is unless this is false. */
	readonly isConfirming?: boolean;
};

export type FinishedRun = {readonly end: EndEvent; readonly consoles: string};

/** Obtains the kernels of the cells, builds, boots and runs; consoles are kept in the cache for the last runs. */
export async function runKernels({
	cells,
	emit,
	signal,
	isolation = 'reuse',
	accelerator: forced,
	consoles: opened,
	shard,
	earlier,
	isConfirming,
	...options
}: RunKernelsOptions): Promise<FinishedRun> {
	const {id, consoles, consolePath} = opened ?? (await openConsoles());
	const qemu = await findQemu({signal});
	const accelerator = await findAccelerator(qemu, {forced, signal});
	const all = [...(earlier?.cells ?? []), ...cells];
	const described = await describeRun({id, cells: all, qemu, accelerator, ...(shard && {shard})});
	// The rest of a plan is not in the order of the whole.
	const run = earlier ? {...described, order: earlier.run.order} : described;
	if (earlier) requireSameRun(earlier, {name: 'this run', run});
	emit(run);
	for (const event of [...(earlier?.kernels ?? []), ...(earlier?.cells ?? [])]) emit(event);

	const kernels = new Set(cells.map(({kernel}) => kernel));
	await using loaders = new AsyncDisposableStack();
	let loader: Promise<Loader> | undefined;
	const startLoader = (files: BootFiles) => {
		const started = Loader.start(files, {accelerator: accelerator.name, signal});
		// Why one cannot be had is told to who asks for it, and nobody may.
		started.catch(() => {});
		loader = started;
		loaders.defer(async () => (await started.catch(() => undefined))?.[Symbol.asyncDispose]());
	};
	const guestBuilds = await prepareKernels(cells, {
		...options,
		signal,
		emit,
		// While something is compiled for several kernels, guests of all of them would stand around.
		...(kernels.size === 1 && isolation !== 'reboot' && {onBuild: startLoader}),
	});
	const sources = new Map<string, () => Promise<Guest>>();
	let largestMib = 0;
	for (const [kernel, guestBuild] of guestBuilds) {
		largestMib = Math.max(largestMib, await guestMemoryMib(guestBuild.kernel));
		sources.set(
			kernel,
			guestPool(guestBuild, {
				isolation,
				accelerator: accelerator.name,
				signal,
				consolePath: () => consolePath(kernel),
				loader: async () => {
					const begun = loader;
					loader = undefined;
					return begun;
				},
				onPushed: pushed => emit({type: 'pushed', kernel, ...pushed}),
			}),
		);
	}
	const durations = await Durations.open();
	const runnable = cells.filter(({kernel}) => guestBuilds.has(kernel));
	const end = await runMatrix({
		cells: runnable,
		finished: earlier?.cells ?? [],
		leftOut: cells.length - runnable.length,
		emit(event) {
			// The names of others may mean something else the next time.
			const isLasting = options.prepare === undefined;
			if (isLasting && event.type === 'cell' && event.verdict === 'pass') durations.add(event, event.durationMs);
			emit(event);
		},
		signal,
		expectedMs: cell => durations.expectedMs(cell),
		workers: workerCount(largestMib + qemuMib),
		isolation,
		...(isConfirming !== undefined && {isConfirming}),
		bootGuest: kernel => sources.get(kernel)!(),
	});
	await durations.save();
	return {end, consoles};
}

function workerCount(mibPerGuest: number): number {
	const byMemory = Math.floor(os.freemem() / 2 ** 20 / mibPerGuest);
	return Math.max(1, Math.min(os.availableParallelism(), byMemory));
}

// SPDX-License-Identifier: GPL-2.0
import type {BootFiles} from '../build/guest-build.ts';
import type {Guest} from '../guest/guest.ts';
import {guestPool} from '../guest/guest-pool.ts';
import type {Isolation} from '../guest/isolation.ts';
import type {MemorySaver} from '../guest/memory-saver.ts';
import {type AcceleratorName, findAccelerator} from '../host/accelerator.ts';
import {findQemu} from '../host/qemu.ts';
import {guestMemoryMib} from '../kernels/memory.ts';
import type {EndEvent, Event, Shard} from '../results/run/events.ts';
import {requireSameRun} from '../results/run/merge-runs.ts';
import {isGreen} from '../results/run/verdict.ts';
import {Loader} from '../vm/loader.ts';
import {type Consoles, openConsoles} from './consoles.ts';
import {describeRun} from './describe-run.ts';
import {Durations} from './durations.ts';
import type {Cell} from './plan.ts';
import {type PrepareOptions, prepareKernels} from './prepare-kernels.ts';
import type {EarlierRun} from './resume.ts';
import {runMatrix} from './run-matrix.ts';
import type {Suite} from './suite.ts';
import {workerCount} from './worker-count.ts';

export type RunKernelsOptions = Omit<PrepareOptions, 'content'> & {
	readonly suite: Suite;
	readonly cells: readonly Cell[];
	readonly emit: (event: Event) => void;
	readonly isolation?: Isolation;
	readonly accelerator?: AcceleratorName | undefined;
	/** For a run of several stages, which share one directory. */
	readonly consoles?: Consoles;
	readonly shard?: Shard | undefined;
	/** The run that this one resumes. Its events are emitted again, and `cells` are those that it left. */
	readonly earlier?: EarlierRun | undefined;
	/** The most guests that run at the same time. Default: one for each core. */
	readonly jobs?: number | undefined;
	/** Saves the memory of guests that crash or hang; without it, none is saved. */
	readonly memories?: MemorySaver | undefined;
	/** Called with each line of a guest's console. */
	readonly onConsoleLine?: ((kernel: string, line: string) => void) | undefined;
	/** Called before a guest is ended, even one that has crashed. */
	readonly beforeEnd?: ((kernel: string, guest: Guest) => Promise<void>) | undefined;
	/** Whether a failed cell runs once more to tell whether it is flaky. Default: true. */
	readonly isConfirming?: boolean;
};

export type FinishedRun = {readonly end: EndEvent; readonly consoles: string};

/** Obtains and builds the kernels, boots guests and runs the cells. The cache keeps the consoles of the last runs. */
export async function runKernels({
	suite,
	cells,
	emit: emitPlain,
	signal,
	isolation = 'reuse',
	accelerator: forced,
	consoles: opened,
	shard,
	earlier,
	isConfirming,
	jobs,
	memories,
	onConsoleLine,
	beforeEnd,
	...options
}: RunKernelsOptions): Promise<FinishedRun> {
	const emit = (event: Event) => {
		const isForRerun =
			(event.type === 'cell' && !isGreen(event)) || (event.type === 'kernel' && event.state !== 'ready');
		const other = event.type === 'cell' && event.alternative ? event.mechanism : undefined;
		const chosenBy = isForRerun ? optionsFor(suite, other) : undefined;
		emitPlain(chosenBy === undefined ? event : ({...event, suite: chosenBy} as Event));
	};
	const {id, consoles, consolePath} = opened ?? (await openConsoles());
	const qemu = await findQemu({signal});
	const accelerator = await findAccelerator(qemu, {forced, signal});
	const all = [...(earlier?.cells ?? []), ...cells];
	const described = await describeRun({id, suite, cells: all, qemu, accelerator, ...(shard && {shard})});
	// The cells that are left do not show the order of the whole plan.
	const run = earlier ? {...described, order: earlier.run.order} : described;
	if (earlier) requireSameRun(earlier, {name: 'this run', run});
	emit(run);
	for (const event of [...(earlier?.kernels ?? []), ...(earlier?.cells ?? [])]) emit(event);

	const kernels = new Set(cells.map(({kernel}) => kernel));
	await using loaders = new AsyncDisposableStack();
	let loader: Promise<Loader> | undefined;
	const startLoader = (files: BootFiles) => {
		const started = Loader.start(files, {accelerator: accelerator.name, signal});
		// The consumer of the loader gets this error. Without a consumer it must not be an unhandled rejection.
		started.catch(() => {});
		loader = started;
		loaders.defer(async () => (await started.catch(() => undefined))?.[Symbol.asyncDispose]());
	};
	const guestBuilds = await prepareKernels(cells, {
		...options,
		content: suite.content,
		signal,
		emit,
		// With several kernels, a guest of each would sit idle while modules are compiled.
		...(kernels.size === 1 && isolation !== 'reboot' && {onBuild: startLoader}),
	});
	const sources = new Map<string, () => Promise<Guest>>();
	const guestsMib: number[] = [];
	for (const [kernel, guestBuild] of guestBuilds) {
		guestsMib.push(await guestMemoryMib(guestBuild.kernel));
		sources.set(
			kernel,
			guestPool(guestBuild, {
				isolation,
				accelerator: accelerator.name,
				signal,
				memories,
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
			// With `prepare`, the same name may denote another kernel in the next run.
			const isLasting = options.prepare === undefined;
			if (isLasting && event.type === 'cell' && event.verdict === 'pass') durations.add(event, event.durationMs);
			emit(event);
		},
		signal,
		expectedMs: cell => durations.expectedMs(cell),
		workers: workerCount(guestsMib, {jobs}),
		isolation,
		...(isConfirming !== undefined && {isConfirming}),
		async bootGuest(kernel) {
			const guest = await sources.get(kernel)!();
			if (onConsoleLine) guest.console.onLine(line => onConsoleLine(kernel, line));
			if (!beforeEnd) return guest;
			return {
				...guest,
				async [Symbol.asyncDispose]() {
					await using _ = guest;
					await beforeEnd(kernel, guest);
				},
			};
		},
	});
	await durations.save();
	return {end, consoles};
}

/** The options of run that choose a suite, and a mechanism other than its first; undefined if none are needed. */
function optionsFor({options}: Suite, other: string | undefined): string | undefined {
	const words = [options, other && `--mechanism ${other}`].filter(each => each !== undefined);
	return words.length > 0 ? words.join(' ') : undefined;
}

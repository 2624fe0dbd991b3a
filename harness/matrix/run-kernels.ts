import os from 'node:os';
import {findQemu} from '../host/qemu.ts';
import {type EndEvent, type Event, eventSchema, type RunEvent} from '../results/events.ts';
import {bootGuest} from './boot-guest.ts';
import {openConsoles} from './consoles.ts';
import {Durations} from './durations.ts';
import type {Cell} from './plan.ts';
import {type PrepareOptions, prepareKernels} from './prepare-kernels.ts';
import {runMatrix} from './run-matrix.ts';

/** Guests of one run that keep each other's races from being starved on two cores. */
const memoryPerGuestMib = 512;

export type RunKernelsOptions = PrepareOptions & {
	readonly cells: readonly Cell[];
	readonly emit: (event: Event) => void;
};

export type FinishedRun = {readonly end: EndEvent; readonly consoles: string};

/** Obtains the kernels of the cells, builds, boots and runs; consoles are kept in the cache for the last runs. */
export async function runKernels({cells, emit, signal, ...options}: RunKernelsOptions): Promise<FinishedRun> {
	const {id, consoles, consolePath} = await openConsoles();
	const qemu = await findQemu({signal});
	emit(describeRun(id, cells.length, qemu));

	const kernels = new Set(cells.map(({kernel}) => kernel));
	const payloads = await prepareKernels(kernels, {...options, signal, emit});
	const durations = await Durations.open();
	const end = await runMatrix({
		cells: cells.filter(({kernel}) => payloads.has(kernel)),
		isKernelMissing: payloads.size < kernels.size,
		emit(event) {
			if (event.type === 'cell' && event.verdict === 'pass') durations.add(event, event.durationMs);
			emit(event);
		},
		signal,
		expectedMs: cell => durations.expectedMs(cell),
		lanes: laneCount(),
		bootGuest: (kernel, options) => bootGuest(payloads.get(kernel)!, {...options, consolePath: consolePath(kernel)}),
	});
	await durations.save();
	return {end, consoles};
}

function laneCount(): number {
	const byMemory = Math.floor(os.freemem() / 2 ** 20 / memoryPerGuestMib);
	return Math.max(1, Math.min(os.availableParallelism(), byMemory));
}

function describeRun(id: string, cells: number, qemu: {version: string; tcgThread: string}): RunEvent {
	return {
		type: 'run',
		schema: eventSchema,
		id,
		startedAt: new Date().toISOString(),
		host: {release: os.release(), cpus: os.availableParallelism(), memoryMib: Math.round(os.totalmem() / 2 ** 20)},
		accelerator: {name: `tcg, ${qemu.tcgThread}-threaded`, reason: 'this version of the harness emulates everywhere'},
		versions: {node: process.version, qemu: qemu.version},
		cells,
	};
}

import os from 'node:os';
import {hashSources} from '../build/sources.ts';
import type {Accelerator} from '../host/accelerator.ts';
import type {Qemu} from '../host/qemu.ts';
import {eventSchema, type RunEvent, type Shard} from '../results/events.ts';

/** All that decides how cells end and what they mean. */
const ourSources = ['harness', 'kmod', 'fixtures', 'guest', 'images'];

type Description = {
	readonly id: string;
	readonly cells: number;
	readonly qemu: Qemu;
	readonly accelerator: Accelerator;
	readonly shard?: Shard;
};

/** The event that a run begins with. */
export async function describeRun({id, cells, qemu, accelerator, shard}: Description): Promise<RunEvent> {
	const {name, reason, speed} = accelerator;
	return {
		type: 'run',
		schema: eventSchema,
		id,
		startedAt: new Date().toISOString(),
		host: {release: os.release(), cpus: os.availableParallelism(), memoryMib: Math.round(os.totalmem() / 2 ** 20)},
		accelerator: {
			name: name === 'tcg' ? `tcg, ${qemu.tcgThread}-threaded` : name,
			reason,
			...(speed !== undefined && {speed}),
		},
		versions: {
			'probe-matrix': hashSources(ourSources).slice(0, 12),
			node: process.version,
			qemu: qemu.version,
		},
		cells,
		...(shard && {shard}),
	};
}

// SPDX-License-Identifier: GPL-2.0
import os from 'node:os';
import {hashPlaces, hashSources} from '../build/sources.ts';
import type {Accelerator} from '../host/accelerator.ts';
import type {Qemu} from '../host/qemu.ts';
import type {CellName, RunEvent, Shard} from '../results/run/events.ts';
import {planOrder} from '../results/run/reading-order.ts';
import type {Suite} from './suite.ts';

/** The sources that affect verdicts and their meaning, beside those of the suite; their hash is the version of probe-matrix. */
const ourSources = ['harness', 'guest', 'images'];

type Description = {
	readonly id: string;
	readonly suite: Pick<Suite, 'name' | 'sources' | 'targets'>;
	/** All cells planned for the run. */
	readonly cells: readonly Pick<CellName, 'case' | 'target'>[];
	readonly qemu: Qemu;
	readonly accelerator: Accelerator;
	readonly shard?: Shard;
};

/** The first event of a run. */
export async function describeRun({id, suite, cells, qemu, accelerator, shard}: Description): Promise<RunEvent> {
	const {name, reason, speed} = accelerator;
	return {
		type: 'run',
		schema: 1,
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
			[suite.name]: hashPlaces(suite.sources).slice(0, 12),
			node: process.version,
			qemu: qemu.version,
		},
		cells: cells.length,
		...(cells.length > 0 && {order: planOrder(cells, suite.targets)}),
		...(shard && {shard}),
	};
}

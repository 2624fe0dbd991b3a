// SPDX-License-Identifier: GPL-2.0
import {UsageError} from '../../host/errors.ts';
import {caseTitle, countVerdicts} from './cell-name.ts';
import type {CellEvent, EndEvent, Event, KernelEvent, MeasurementEvent, RunEvent} from './events.ts';
import {sumOfNotRun} from './kernel-summary.ts';
import type {RunRecord} from './read-run.ts';
import {joinOrders} from './reading-order.ts';
import {exitCode} from './verdict.ts';

export type NamedRun = {readonly name: string; readonly record: RunRecord};

export type MergedRun = {
	readonly record: RunRecord;
	/** Shards that were not given. */
	readonly missing: readonly {readonly index: number; readonly kernels: readonly string[]}[];
	/** Expected kernels that no run has. */
	readonly lost: readonly string[];
	readonly interrupted: readonly string[];
	readonly exitCode: 0 | 1 | 3;
};

/**
 * Merges shards, or runs of different kernels, into one run. A missing or interrupted shard makes the result
 * interrupted. `expected` are kernels that must be present. Throws UsageError when the runs do not belong together.
 */
export function mergeRuns(
	parts: readonly NamedRun[],
	{expected = []}: {readonly expected?: readonly string[]} = {},
): MergedRun {
	const [first, ...others] = parts;
	if (!first) throw new UsageError('No shards were given.');
	for (const {name, record} of others)
		requireSameRun({name: first.name, run: first.record.run}, {name, run: record.run});
	const cells = parts.flatMap(({record}) => record.cells);
	const measurements = parts.flatMap(({record}) => record.measurements);
	checkDoubles(parts);
	const records = parts.map(({record}) => record);
	const present = new Set(records.map(({run}) => run.shard?.index));
	const missing = (first.record.run.shard?.parts ?? [])
		.map((kernels, index) => ({index: index + 1, kernels}))
		.filter(({index, kernels}) => !present.has(index) && kernels.length > 0);
	const interrupted = parts.filter(({record}) => record.isInterrupted).map(({name}) => name);
	const kernels = records.flatMap(record => record.kernels);
	const lost = expected.filter(id => !kernels.some(({kernel}) => kernel === id));
	const isWhole = missing.length === 0 && lost.length === 0 && interrupted.length === 0;
	const counts = countVerdicts(cells);
	const code = exitCode(counts, {isKernelMissing: !isWhole || kernels.some(({state}) => state !== 'ready')});
	const durationMs = Math.max(...records.map(({end}) => end?.durationMs ?? 0));
	const notRun = sumOfNotRun(kernels);
	const end: EndEvent = {type: 'end', counts, ...(notRun > 0 && {notRun}), durationMs, exitCode: code};
	return {
		record: {run: mergedRun(records), kernels, cells, measurements, ...(isWhole && {end}), isInterrupted: !isWhole},
		missing,
		lost,
		interrupted,
		exitCode: code,
	};
}

/** Events in the order in which a run writes them. */
export function eventsOf({run, kernels, cells, measurements, end}: RunRecord): readonly Event[] {
	const all: (KernelEvent | CellEvent | MeasurementEvent)[] = [...kernels, ...cells, ...measurements];
	return [run, ...all, ...(end ? [end] : [])];
}

function mergedRun(records: readonly RunRecord[]): RunEvent {
	const runs = records.map(({run}) => run).toSorted((a, b) => (a.id < b.id ? -1 : 1));
	const {shard: _shard, ...earliest} = runs[0]!;
	return {
		...earliest,
		// Ids sort by time: this one sorts right after its first shard in a history that may hold both.
		id: `${earliest.id}-merged`,
		command: 'merge',
		cells: runs.reduce((sum, {cells}) => sum + cells, 0),
		order: joinOrders(runs.map(({order}) => order)),
	};
}

export type NamedBeginning = {readonly name: string; readonly run: RunEvent};

/** Throws UsageError when two runs were made with different sources or tools, or were sharded differently. */
export function requireSameRun(first: NamedBeginning, other: NamedBeginning): void {
	const [versions, others] = [first.run.versions, other.run.versions];
	const different = [...new Set([...Object.keys(versions), ...Object.keys(others)])].find(
		name => versions[name] !== others[name],
	);
	if (different !== undefined) {
		throw new UsageError(
			`${first.name} was made with ${different} ${versions[different] ?? '(unknown)'}, ${other.name} with ${others[different] ?? '(unknown)'}: these are not shards of one run.`,
		);
	}
	if (JSON.stringify(first.run.shard?.parts) === JSON.stringify(other.run.shard?.parts)) return;
	throw new UsageError(
		`${first.name} and ${other.name} were sharded differently: give each shard the same kernels, and the same --history or none.`,
	);
}

function checkDoubles(parts: readonly NamedRun[]): void {
	const seen = new Map<string, string>();
	for (const {name, record} of parts) {
		const shard = record.run.shard && `shard ${record.run.shard.index}`;
		const titles = record.cells.map(
			cell => `${cell.kernel} ${cell.mechanism} ${caseTitle(cell)}, repeat ${cell.repeat}`,
		);
		for (const what of [...(shard ? [shard] : []), ...new Set(titles)]) {
			const other = seen.get(what);
			if (other !== undefined) throw new UsageError(`Both ${other} and ${name} hold ${what}.`);
			seen.set(what, name);
		}
	}
}

// SPDX-License-Identifier: GPL-2.0
import path from 'node:path';
import {cacheDirectory} from '../host/cache.ts';
import {UsageError} from '../host/errors.ts';
import {readCached, writeCached} from '../host/json-cache.ts';
import {cellTitle} from '../results/run/cell-name.ts';
import type {CellEvent, CellName} from '../results/run/events.ts';

/** By suite: the cells that did not pass in its last run, each as `kernel case[target]`. */
type LastFailed = Readonly<Record<string, readonly string[]>>;

function fileOf(): string {
	return path.join(cacheDirectory(), 'last-failed.json');
}

/** How a cell is named in the file. */
export function failedName(cell: CellName): string {
	return `${cell.kernel} ${cellTitle(cell)}`;
}

/** The kernels of cells. */
export function kernelsOf(failed: ReadonlySet<string>): readonly string[] {
	return [...new Set([...failed].map(name => name.slice(0, name.lastIndexOf(' '))))];
}

/** The cells that did not pass in the last run of a suite. Throws UsageError if all did, or it never ran. */
export async function readLastFailed(suite: string): Promise<ReadonlySet<string>> {
	const failed = (await readAll())[suite] ?? [];
	if (failed.length === 0) throw new UsageError(`Nothing failed in the last run of ${suite}.`);
	return new Set(failed);
}

export async function writeLastFailed(suite: string, cells: readonly CellEvent[]): Promise<void> {
	await writeCached(fileOf(), {...(await readAll()), [suite]: [...new Set(cells.map(failedName))]});
}

async function readAll(): Promise<LastFailed> {
	return (await readCached<LastFailed>(fileOf(), Number.POSITIVE_INFINITY, holdsLists)) ?? {};
}

/** Whether it is what this version of the program writes. */
function holdsLists(all: LastFailed): boolean {
	const isList = (names: unknown) => Array.isArray(names) && names.every(name => typeof name === 'string');
	return Object.values(all).every(isList);
}

// SPDX-License-Identifier: GPL-2.0
import {readFile} from 'node:fs/promises';
import path from 'node:path';
import {writeAtomically} from '../host/atomic-file.ts';
import {cacheDirectory} from '../host/cache.ts';
import {UsageError} from '../host/errors.ts';
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
	await writeAtomically(fileOf(), JSON.stringify({...(await readAll()), [suite]: [...new Set(cells.map(failedName))]}));
}

/** A file that cannot be read is as good as none: it only shortens a command. */
async function readAll(): Promise<LastFailed> {
	try {
		const all: unknown = JSON.parse(await readFile(fileOf(), 'utf8'));
		const isNames = (value: unknown) => Array.isArray(value) && value.every(each => typeof each === 'string');
		return Object.fromEntries(Object.entries(all ?? {}).filter(([, names]) => isNames(names)));
	} catch {
		return {};
	}
}

// SPDX-License-Identifier: GPL-2.0
import {readFile} from 'node:fs/promises';
import path from 'node:path';
import {writeAtomically} from '../host/atomic-file.ts';
import {cacheDirectory} from '../host/cache.ts';
import {cellTitle} from '../results/run/cell-name.ts';
import {median} from '../results/run/statistics.ts';
import type {Cell} from './plan.ts';

const keptPerCell = 5;

/** Recent durations of cells, by kernel and title. Kept in the cache; an unreadable file counts as missing. */
export class Durations {
	readonly #file: string;
	readonly #known: Record<string, readonly number[]>;
	#isChanged = false;

	static async open(file = path.join(cacheDirectory(), 'durations.json')): Promise<Durations> {
		return new Durations(file, await readKnown(file));
	}

	private constructor(file: string, known: Record<string, readonly number[]>) {
		this.#file = file;
		this.#known = known;
	}

	/** The median of the recent durations. */
	expectedMs(cell: Cell): number | undefined {
		const known = this.#known[nameOf(cell)];
		return known?.length ? median(known) : undefined;
	}

	add(cell: Pick<Cell, 'kernel' | 'mechanism' | 'case' | 'target'>, durationMs: number): void {
		this.#known[nameOf(cell)] = [...(this.#known[nameOf(cell)] ?? []), durationMs].slice(-keptPerCell);
		this.#isChanged = true;
	}

	/** Overwrites what a concurrent run has saved: the durations are only estimates. */
	async save(): Promise<void> {
		if (!this.#isChanged) return;
		await writeAtomically(this.#file, JSON.stringify(this.#known));
	}
}

function nameOf(cell: Pick<Cell, 'kernel' | 'mechanism' | 'case' | 'target'>): string {
	return `${cell.kernel} ${cellTitle({...cell})}`;
}

async function readKnown(file: string): Promise<Record<string, readonly number[]>> {
	try {
		const value: unknown = JSON.parse(await readFile(file, 'utf8'));
		const isRecord = typeof value === 'object' && value !== null && !Array.isArray(value);
		const entries = isRecord ? Object.entries(value as Record<string, unknown>) : [];
		return Object.fromEntries(
			entries.filter(
				(entry): entry is [string, number[]] => Array.isArray(entry[1]) && entry[1].every(Number.isFinite),
			),
		);
	} catch {
		// The file is missing or damaged. Cells are then ordered by their deadlines.
		return {};
	}
}

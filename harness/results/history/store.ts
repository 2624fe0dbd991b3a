// SPDX-License-Identifier: GPL-2.0
import {existsSync} from 'node:fs';
import {readdir, rm, stat} from 'node:fs/promises';
import path from 'node:path';
import type {DatabaseSync, StatementSync} from 'node:sqlite';
import {errorCode, messageOf, UsageError} from '../../host/errors.ts';
import type {DurationHistory} from '../compare/compare-runs.ts';
import {cellKey, summarizeCells} from '../run/cell-summary.ts';
import type {CellName} from '../run/events.ts';
import {type RunRecord, readRun} from '../run/read-run.ts';
import {median} from '../run/statistics.ts';
import {runFile} from './history-log.ts';
import {inTransaction, openIndex, unusable} from './index-file.ts';
import {
	type CellHistory,
	isComparable,
	type Measured,
	measuredOf,
	nameOf,
	parseDurations,
	parseResults,
	runOf,
	type StoredRun,
} from './index-rows.ts';
import {isRunning, removeMark} from './run-lock.ts';

/** Number of recent runs from which durations are taken. */
const runsForDurations = 20;

/**
 * Past runs: a file of events for each, and an SQLite index of all of them. The files are authoritative; opening the
 * store indexes what is missing.
 */
export class HistoryStore implements Disposable {
	readonly #directory: string;
	readonly #database: DatabaseSync;
	readonly #addResult: StatementSync;
	/** Cell numbers by key; they never change. */
	readonly #numbers = new Map<string, number>();

	/** Opens a history and updates its index. Throws UsageError when there is no history. */
	static async open(directory: string): Promise<HistoryStore> {
		if (!existsSync(path.join(directory, 'runs')))
			throw new UsageError(
				`There is no history in ${directory}; \`probe-matrix run --history ${directory}\` starts one.`,
			);
		const store = new HistoryStore(directory, openIndex(directory));
		try {
			await store.#catchUp();
			return store;
		} catch (error) {
			store[Symbol.dispose]();
			throw unusable(directory, error);
		}
	}

	private constructor(directory: string, database: DatabaseSync) {
		this.#directory = directory;
		this.#database = database;
		this.#addResult = database.prepare('INSERT INTO result VALUES (?, ?, ?, ?, ?, ?, ?)');
	}

	/** All readable runs, oldest first. */
	runs(): readonly StoredRun[] {
		const rows = this.#database.prepare('SELECT * FROM run WHERE problem IS NULL ORDER BY id').all();
		return rows.map(row => runOf(row, id => isRunning(runFile(this.#directory, id))));
	}

	/** Files that could not be read as a run, with the reason. */
	problems(): readonly {readonly id: string; readonly problem: string}[] {
		const rows = this.#database.prepare('SELECT id, problem FROM run WHERE problem IS NOT NULL ORDER BY id').all();
		return rows.map(row => ({id: String(row.id), problem: String(row.problem)}));
	}

	async read(id: string): Promise<RunRecord> {
		return readRun(runFile(this.#directory, id));
	}

	/** Each cell with its results in earlier runs, oldest first. */
	*cells({before}: {before?: string} = {}): Generator<CellHistory> {
		// One row per cell: fetching hundreds of thousands of results one by one would take most of the time.
		const rows = this.#database.prepare(
			`SELECT kernel, mechanism, caseId, target, alternative,
				json_group_array(json_array(run, verdict, passes, total, message) ORDER BY run) AS results
			FROM result JOIN cell ON number = cell WHERE run < ? GROUP BY cell ORDER BY cell`,
		);
		for (const row of rows.iterate(before ?? '~')) yield {...nameOf(row), results: parseResults(row.results)};
	}

	/** Durations of cells, in ms, in the runs before `run`. */
	durationsBefore(run: string): DurationHistory {
		const recent = this.#database.prepare(
			`SELECT durations FROM result WHERE cell = (SELECT number FROM cell WHERE key = ?) AND run < ?
			ORDER BY run DESC LIMIT ?`,
		);
		return cell => recent.all(cellKey(cell), run, runsForDurations).flatMap(({durations}) => parseDurations(durations));
	}

	/** Total duration of a kernel's cells, in ms, in the largest of its recent runs. */
	kernelMs(kernel: string): number | undefined {
		const [run] = this.runs()
			.filter(run => isComparable(run) && !run.isInterrupted && run.kernels.includes(kernel))
			.slice(-runsForDurations)
			.toSorted((a, b) => cellCount(b) - cellCount(a));
		if (!run) return undefined;
		const rows = this.#database
			.prepare('SELECT durations FROM result JOIN cell ON number = cell WHERE run = ? AND kernel = ?')
			.all(run.id, kernel);
		return rows.flatMap(({durations}) => parseDurations(durations)).reduce((sum, each) => sum + each, 0);
	}

	/** All measurements of benches, oldest first. */
	measured(): readonly Measured[] {
		return this.#database.prepare('SELECT * FROM measurement ORDER BY run, rowid').all().map(measuredOf);
	}

	/** Removes a run, including its file of events. */
	async remove(id: string): Promise<void> {
		// The file first: an orphaned row is dropped at the next opening, but an orphaned file would be indexed again.
		await rm(runFile(this.#directory, id), {force: true});
		removeMark(runFile(this.#directory, id));
		inTransaction(this.#database, () => this.#forget(id));
	}

	[Symbol.dispose](): void {
		this.#database.close();
	}

	async #catchUp(): Promise<void> {
		const names = await readdir(path.join(this.#directory, 'runs'));
		const ids = new Set(names.filter(name => name.endsWith('.jsonl')).map(name => path.basename(name, '.jsonl')));
		const rows = this.#database.prepare('SELECT id, bytes FROM run').all();
		const known = new Map(rows.map(({id, bytes}) => [String(id), Number(bytes)]));
		for (const id of known.keys()) if (!ids.has(id)) inTransaction(this.#database, () => this.#forget(id));
		for (const id of [...ids].toSorted()) {
			try {
				const file = runFile(this.#directory, id);
				const {size} = await stat(file);
				if (known.get(id) === size) continue;
				const record = await readRun(file).catch((error: unknown) => messageOf(error));
				inTransaction(this.#database, () => this.#index(id, size, record));
			} catch (error) {
				// Another process has pruned it.
				if (errorCode(error) !== 'ENOENT') throw error;
			}
		}
	}

	#forget(id: string): void {
		for (const table of ['result', 'measurement']) this.#database.prepare(`DELETE FROM ${table} WHERE run = ?`).run(id);
		this.#database.prepare('DELETE FROM run WHERE id = ?').run(id);
	}

	#index(id: string, bytes: number, record: RunRecord | string): void {
		this.#forget(id);
		if (typeof record === 'string') {
			this.#database.prepare('INSERT INTO run (id, bytes, problem) VALUES (?, ?, ?)').run(id, bytes, record);
			return;
		}
		const {run, kernels, cells, measurements, end} = record;
		const summaries = [...summarizeCells(cells)];
		const counts = Object.groupBy(summaries, ([, {summary}]) => summary.verdict);
		this.#database
			.prepare(
				'INSERT INTO run (id, bytes, startedAt, command, isShard, exitCode, counts, kernels) VALUES (?, ?, ?, ?, ?, ?, ?, ?)',
			)
			.run(
				id,
				bytes,
				run.startedAt,
				run.command ?? 'run',
				run.shard ? 1 : 0,
				end?.exitCode ?? null,
				JSON.stringify(Object.fromEntries(Object.entries(counts).map(([verdict, of]) => [verdict, of.length]))),
				JSON.stringify([...new Set(kernels.filter(({state}) => state === 'ready').map(({kernel}) => kernel))]),
			);
		this.#addMeasurements(id, measurements);
		for (const [key, {summary, ...name}] of summaries) {
			const {verdict, passes, total, durationsMs, message} = summary;
			this.#addResult.run(
				this.#numberOf(key, name),
				id,
				verdict,
				passes,
				total,
				durationsMs.join(' '),
				message ?? null,
			);
		}
	}

	#addMeasurements(id: string, measurements: RunRecord['measurements']): void {
		const add = this.#database.prepare('INSERT INTO measurement VALUES (?, ?, ?, ?, ?, ?)');
		for (const {kernel, what, unit, budget, values} of measurements)
			add.run(id, kernel, what, unit, budget ?? null, median(values));
	}

	#numberOf(key: string, {kernel, mechanism, case: caseId, target, alternative}: CellName): number {
		const known = this.#numbers.get(key);
		if (known !== undefined) return known;
		this.#database
			.prepare(
				'INSERT OR IGNORE INTO cell (key, kernel, mechanism, caseId, target, alternative) VALUES (?, ?, ?, ?, ?, ?)',
			)
			.run(key, kernel, mechanism, caseId, target ?? null, alternative ? 1 : 0);
		const number = Number(this.#database.prepare('SELECT number FROM cell WHERE key = ?').get(key)!.number);
		this.#numbers.set(key, number);
		return number;
	}
}

function cellCount({counts}: StoredRun): number {
	return Object.values(counts).reduce((sum, count) => sum + count, 0);
}

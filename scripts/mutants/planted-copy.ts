// SPDX-License-Identifier: GPL-2.0
import {mkdtempDisposable, readFile, writeFile} from 'node:fs/promises';
import {tmpdir} from 'node:os';
import path from 'node:path';
import {execa} from 'execa';
import {caseTitle} from '../../harness/results/run/cell-name.ts';
import {readRun} from '../../harness/results/run/read-run.ts';
import {isFailure, type Verdict} from '../../harness/results/run/verdict.ts';
import {CheckoutCopy} from '../checkout-copy.ts';
import type {Edit} from './edits.ts';
import {edited} from './groups.ts';

export type Noticed = {
	/** The verdicts of the cells that failed, crashed, hung or proved nothing, by their titles. */
	readonly failed: ReadonlyMap<string, Verdict>;
	/** Why nothing ran: a build or a load failed, or this host cannot have the kernel. */
	readonly broken?: string;
	readonly isUnavailable?: boolean;
};

/** A copy of the checkout that is run with edits. */
export class PlantedCopy implements AsyncDisposable {
	readonly #copy: CheckoutCopy;
	readonly #signal: AbortSignal;
	/** Original texts of the files that are edited now. */
	readonly #originals = new Map<string, string>();

	static async create(signal: AbortSignal): Promise<PlantedCopy> {
		return new PlantedCopy(await CheckoutCopy.create(), signal);
	}

	private constructor(copy: CheckoutCopy, signal: AbortSignal) {
		this.#copy = copy;
		this.#signal = signal;
	}

	/** Exchanges the edits of the copy for these. */
	async plant(edits: readonly Edit[]): Promise<void> {
		for (const [file, text] of this.#originals) await writeFile(file, text);
		this.#originals.clear();
		for (const edit of edits) {
			const file = path.join(this.#copy.directory, edit.file);
			const text = await readFile(file, 'utf8');
			this.#originals.set(file, text);
			await writeFile(file, edited(edit, text)!);
		}
	}

	/** Runs cells of one kernel; all if no patterns are given. */
	async runCells(kernel: string, patterns: readonly string[]): Promise<Noticed> {
		await using scratch = await mkdtempDisposable(path.join(tmpdir(), 'mutants-'));
		const events = path.join(scratch.path, 'events');
		const match = patterns.flatMap(pattern => ['--match', pattern]);
		// Where edits share a run, none may suffer from what the cell of another one left.
		const isolation = patterns.length > 0 ? ['--isolation', 'restore'] : [];
		const {stderr, exitCode} = await this.#node(
			['harness/cli/main.js', 'run', '--kernel', kernel, ...match, ...isolation, '--json', events],
			'SIGTERM',
		);
		if (exitCode === 2) throw new Error(`probe-matrix run failed: ${stderr}`);
		const {cells, kernels} = await readRun(events);
		const bad = cells.filter(cell => isFailure(cell) || cell.verdict === 'inconclusive');
		const lost = kernels.find(({state}) => state !== 'ready');
		const broken = lost?.reason;
		return {
			failed: new Map(bad.map(cell => [caseTitle(cell), cell.verdict])),
			...(broken !== undefined && {broken, isUnavailable: lost?.state === 'unavailable'}),
		};
	}

	/** Runs test files of AVA. Returns the titles of what failed. */
	async runTests(files: readonly string[]): Promise<readonly string[]> {
		// AVA ends its workers, and these their guests, when it is interrupted.
		const {stdout, exitCode} = await this.#node(['node_modules/.bin/ava', '--tap', '--timeout=3m', ...files], 'SIGINT');
		const failed = [...stdout.matchAll(/^not ok \d+ - (.*)$/gm)].map(([, title]) => title!);
		return exitCode !== 0 && failed.length === 0 ? [`AVA ended with ${exitCode}`] : failed;
	}

	async #node(args: readonly string[], killSignal: 'SIGTERM' | 'SIGINT') {
		const ended = await execa(process.execPath, args, {
			cwd: this.#copy.directory,
			env: {CI: 'true', NO_COLOR: '1'},
			reject: false,
			cancelSignal: this.#signal,
			killSignal,
			// A guest is asked what hangs before it is given up.
			forceKillAfterDelay: 60_000,
		});
		this.#signal.throwIfAborted();
		return ended;
	}

	async [Symbol.asyncDispose](): Promise<void> {
		await this.#copy[Symbol.asyncDispose]();
	}
}

// SPDX-License-Identifier: GPL-2.0
import {once} from 'node:events';
import {statSync, watch} from 'node:fs';
import {mkdtempDisposable} from 'node:fs/promises';
import {tmpdir} from 'node:os';
import path from 'node:path';
import {execa, type ResultPromise} from 'execa';
import {isSource, placeOf, projectRoot} from '../build/sources.ts';
import type {Suite} from '../engine/suite.ts';
import {onAbort} from '../host/abort.ts';
import {say} from '../host/say.ts';
import {compareRuns} from '../results/compare/compare-runs.ts';
import {formatComparison} from '../results/compare/format-comparison.ts';
import {type RunRecord, readRun} from '../results/run/read-run.ts';

/** Sources of a run, beside those of its suite. The harness is one of them, because each round is a new process. */
const watched = ['images', 'guest', 'harness'];

/** A standby process has loaded the whole harness except these files. */
const casesDirectory = path.join('harness', 'suites');

/** An editor may write a file in several steps and save several files at once; wait until it is quiet. */
const quietMs = 50;

/**
 * Runs the command line `args` again after each change of the sources and prints the differences. A standby process is
 * started before each round, so that the round starts with everything loaded. Resolves when `signal` aborts.
 */
export async function watchRuns(
	args: readonly string[],
	{suite, signal}: {readonly suite: Suite; readonly signal: AbortSignal},
): Promise<void> {
	await using directory = await mkdtempDisposable(path.join(tmpdir(), 'probe-matrix-watch-'));
	using changes = new Changes([...watched.map(place => placeOf(place)), ...suite.sources]);
	let before: RunRecord | undefined;
	for (let number = 1; !signal.aborted; number++) {
		const events = path.join(directory.path, `${number}.jsonl`);
		let round = new Round(args, events);
		try {
			if (number > 1) {
				say('waiting for a change; press Ctrl-C to stop.');
				const changed = await changes.next(signal);
				if (changed.length === 0) break;
				process.stderr.write(`\n${describe(changed)}\n`);
				if (isOutdatedBy(changed)) {
					await round.drop();
					round = new Round(args, events);
				}
			} else changes.forget();
			await round.run(signal);
		} finally {
			await round.drop();
		}
		const record = await readRun(events).catch(() => undefined);
		// If nothing ran, for example because the build failed, keep comparing with the round before.
		if (!record || record.isInterrupted || record.cells.length === 0) continue;
		if (before) process.stdout.write(`\n${formatComparison(compareRuns(before, record), before, record)}`);
		before = record;
	}
}

/** A run in a process of its own, which waits on standby with everything loaded. */
class Round {
	readonly #child: ResultPromise;

	constructor(args: readonly string[], events: string) {
		const main = path.join(import.meta.dirname, 'main.js');
		const command = [process.execPath, main, ...args, '--json', events, '--standby'];
		// It must end with us even if we are killed. In its own process group, it gets no Ctrl-C except through us.
		this.#child = execa('setpriv', ['--pdeathsig', 'TERM', ...command], {
			stdin: 'pipe',
			stdout: 'inherit',
			stderr: 'inherit',
			reject: false,
			detached: true,
		});
		// If it has already ended, its exit status tells why.
		this.#child.stdin!.on('error', () => {});
	}

	async run(signal: AbortSignal): Promise<void> {
		this.#child.stdin!.end('go\n');
		using _ = onAbort(signal, () => this.#child.kill('SIGTERM'));
		await this.#child;
	}

	/** Ends the process if it is still on standby. */
	async drop(): Promise<void> {
		this.#child.stdin!.end();
		await this.#child;
	}
}

/** Source files changed since the last call of `next`. */
class Changes implements Disposable {
	readonly #watchers;
	readonly #changed = new Set<string>();
	readonly #events = new EventTarget();

	constructor(places: readonly string[]) {
		this.#watchers = places.map(place => {
			const isDirectory = statSync(place).isDirectory();
			return watch(place, {recursive: isDirectory}, (_, name) => {
				if (name === null) return;
				const file = isDirectory ? path.join(place, name) : place;
				const ours = belowProject(file);
				// Of a place elsewhere only what is below it tells: it may lie in a directory with a dot.
				if (!isSource(ours ?? name)) return;
				this.#changed.add(ours ?? path.relative(process.cwd(), file));
				this.#events.dispatchEvent(new Event('change'));
			});
		});
	}

	/** Waits for a change, and until no more follow. Returns an empty list when the signal aborts. */
	async next(signal: AbortSignal): Promise<readonly string[]> {
		try {
			if (this.#changed.size === 0) await once(this.#events, 'change', {signal});
			for (;;) {
				const more = once(this.#events, 'change', {signal: AbortSignal.any([signal, AbortSignal.timeout(quietMs)])});
				if (!(await more.then(() => true).catch(() => false))) break;
			}
		} catch (error) {
			if (!signal.aborted) throw error;
			return [];
		}
		const changed = [...this.#changed].toSorted();
		this.forget();
		return changed;
	}

	forget(): void {
		this.#changed.clear();
	}

	[Symbol.dispose](): void {
		for (const watcher of this.#watchers) watcher.close();
	}
}

/** The path of a file below the project; undefined for one that lies elsewhere. */
function belowProject(file: string): string | undefined {
	const name = path.relative(projectRoot, file);
	return name.startsWith('..') ? undefined : name;
}

/** Whether a standby process has loaded one of these files, as it was before. */
export function isOutdatedBy(changed: readonly string[]): boolean {
	return changed.some(isLoaded);
}

function isLoaded(file: string): boolean {
	return file.startsWith('harness') && !file.startsWith(casesDirectory);
}

function describe(files: readonly string[]): string {
	const [first, ...more] = files;
	return `${first}${more.length > 0 ? ` and ${more.length} more` : ''} changed`;
}

// SPDX-License-Identifier: GPL-2.0
import {createHash} from 'node:crypto';
import {existsSync} from 'node:fs';
import {rename, rm} from 'node:fs/promises';
import path from 'node:path';
import {hashSources} from '../../build/sources.ts';
import type {Isolation} from '../../guest/isolation.ts';
import type {AcceleratorName} from '../../host/accelerator.ts';
import {cacheDirectory, locked} from '../../host/cache.ts';
import {say} from '../../host/say.ts';
import {Journal} from '../engine/journal.ts';
import type {Predicate} from '../guests/predicate.ts';
import type {GuestTestBenchOptions} from '../guests/test-bench.ts';

/** Options of every kind of bisect. */
export type CommonOptions = {
	readonly predicate: Predicate;
	readonly confidence: number;
	readonly isAnyFailure: boolean;
	/** Search for what mended the bug: `good` and `bad` are the older and the newer end as always, but the older is bad. */
	readonly isFixed?: boolean;
	readonly isolation: Isolation;
	readonly accelerator?: AcceleratorName | undefined;
	readonly signal: AbortSignal;
	/** Discard the journal of an unfinished bisect. */
	readonly isRestart: boolean;
	/** The command line, as reports show it. */
	readonly command: string;
	readonly stages: Stages;
} & Pick<GuestTestBenchOptions, 'run'>;

/**
 * The stages of one command. Journals are kept until all stages are done, because a rerun repeats the whole command.
 */
export class Stages {
	readonly #directories: string[] = [];

	/** Called when a stage ends. */
	add(directory: string): void {
		this.#directories.push(directory);
	}

	/** Retires all journals: the same command then starts over. */
	async retire(): Promise<void> {
		for (const directory of this.#directories) {
			await locked(directory, {}, async () => {
				const file = path.join(directory, journalName);
				if (existsSync(file)) await rename(file, path.join(directory, 'journal.done.jsonl'));
			});
		}
	}
}

/** Besides the candidate and the suite, answers depend on these sources. When one changes, a journal is void. */
const predicateSources = [
	'guest',
	'images',
	...['link', 'qemu', 'crash', 'vm', 'guest', 'engine', 'suites'].map(room => `harness/${room}`),
];

const journalName = 'journal.jsonl';

/**
 * Runs a bisect in its own directory with a journal. It resumes an unfinished journal of the same kind, predicate and
 * sources, or starts a new one.
 */
export async function withJournal<T>(
	what: readonly string[],
	{predicate, confidence, isAnyFailure, isFixed = false, signal, isRestart, stages}: CommonOptions,
	work: (directory: string, journal: Journal) => Promise<T>,
	{sources}: {sources?: string} = {},
): Promise<T> {
	const code = sources ?? hashSources(predicateSources);
	const directory = bisectDirectory([...what, code, ...(isFixed ? ['fixed'] : [])], {
		predicate,
		confidence,
		isAnyFailure,
	});
	return locked(directory, {signal}, async () => {
		const file = path.join(directory, journalName);
		if (isRestart) await rm(file, {force: true});
		const done = await useJournal(file, journal => {
			if (journal.size > 0) say(`resuming after ${journal.size} known steps (${directory}).`);
			return work(directory, journal);
		});
		stages.add(directory);
		return done;
	});
}

function bisectDirectory(
	what: readonly string[],
	{predicate, confidence, isAnyFailure}: Pick<CommonOptions, 'predicate' | 'confidence' | 'isAnyFailure'>,
): string {
	const identity = JSON.stringify([...what, predicate.identity, confidence, isAnyFailure]);
	return cacheDirectory('bisect', `${what[0]}-${createHash('sha256').update(identity).digest('hex').slice(0, 12)}`);
}

async function useJournal<T>(file: string, work: (journal: Journal) => Promise<T>): Promise<T> {
	using journal = new Journal(file);
	return await work(journal);
}

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

/** What every kind of bisect is told. */
export type CommonOptions = {
	readonly predicate: Predicate;
	readonly confidence: number;
	readonly isAnyFailure: boolean;
	readonly isolation: Isolation;
	readonly accelerator?: AcceleratorName | undefined;
	readonly signal: AbortSignal;
	/** Forget what an earlier, unfinished one has learnt. */
	readonly isRestart: boolean;
	/** What the person typed; it is part of reports. */
	readonly command: string;
	readonly stages: Stages;
};

/** The stages of one command. None of their journals may go before all of them are done: the command is run again as a whole. */
export class Stages {
	readonly #directories: string[] = [];

	/** To be called with a stage's end. */
	add(directory: string): void {
		this.#directories.push(directory);
	}

	/** From now on the same command asks anew. */
	async retire(): Promise<void> {
		for (const directory of this.#directories) {
			await locked(directory, {}, async () => {
				const file = path.join(directory, journalName);
				if (existsSync(file)) await rename(file, path.join(directory, 'journal.done.jsonl'));
			});
		}
	}
}

/** Answers depend on these besides the candidate: with another guest, case or module, what a journal holds is void. */
const predicateSources = [
	'kmod',
	'fixtures',
	'guest',
	'images',
	...['link', 'qemu', 'crash', 'vm', 'guest', 'engine', 'suites'].map(room => `harness/${room}`),
];

const journalName = 'journal.jsonl';

/**
 * Does a bisect's work in a directory of its own, by a journal: that of an earlier one of the same kind, predicate and
 * sources which did not come to its end, or a new one.
 */
export async function withJournal<T>(
	what: readonly string[],
	{predicate, confidence, isAnyFailure, signal, isRestart, stages}: CommonOptions,
	work: (directory: string, journal: Journal) => Promise<T>,
	{sources}: {sources?: string} = {},
): Promise<T> {
	const code = sources ?? hashSources(predicateSources);
	const directory = bisectDirectory([...what, code], {predicate, confidence, isAnyFailure});
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

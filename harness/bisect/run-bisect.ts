import {createHash} from 'node:crypto';
import path from 'node:path';
import type {AcceleratorName} from '../host/accelerator.ts';
import {cacheDirectory, locked} from '../host/cache.ts';
import {say} from '../host/say.ts';
import type {Isolation} from '../matrix/isolation.ts';
import {prepareKernel} from '../matrix/prepare-kernels.ts';
import {bisect, type Finding} from './bisect.ts';
import {GuestLaboratory} from './guest-laboratory.ts';
import {Journal} from './journal.ts';
import {sayStep} from './progress.ts';
import type {Question} from './question.ts';
import {ReleaseRange} from './release-range.ts';
import {releasesBetween} from './releases.ts';

export type CommonOptions = {
	readonly question: Question;
	readonly confidence: number;
	readonly isAnyFailure: boolean;
	readonly isolation: Isolation;
	readonly accelerator?: AcceleratorName | undefined;
	readonly signal: AbortSignal;
};

export type ReleasesOptions = CommonOptions & {
	readonly good: string;
	readonly bad: string;
	/** A tree to build releases from. */
	readonly source?: string;
};

/** The first bad of the known releases. */
export async function bisectReleases(options: ReleasesOptions): Promise<Finding> {
	const {good, bad, source, question, signal} = options;
	const releases = await releasesBetween(good, bad);
	const range = new ReleaseRange(releases);
	return inDirectory(['releases', good, bad], options, async (directory, journal) => {
		const laboratory = new GuestLaboratory({
			...options,
			directory,
			question,
			reference: range.good,
			make: async subject => ({
				payload: await prepareKernel(subject.id, {signal, ...(source !== undefined && {source})}),
				isReused: releases.find(({id}) => id === subject.id)?.cost === 'cached',
			}),
		});
		return bisect({...options, stage: 'releases', range, laboratory, journal, onStep: sayStep});
	});
}

/** What a bisect keeps: the journal, by which it goes on after any end, and the consoles. */
async function inDirectory<T>(
	what: readonly string[],
	{question, confidence, isAnyFailure, signal}: CommonOptions,
	work: (directory: string, journal: Journal) => Promise<T>,
): Promise<T> {
	const identity = JSON.stringify([...what, question.identity, confidence, isAnyFailure]);
	const name = `${what[0]}-${createHash('sha256').update(identity).digest('hex').slice(0, 12)}`;
	const directory = cacheDirectory('bisect', name);
	return locked(directory, {signal}, async () => {
		using journal = new Journal(path.join(directory, 'journal.jsonl'));
		if (journal.size > 0) say(`going on after ${journal.size} steps that are known from before (${directory}).`);
		return await work(directory, journal);
	});
}

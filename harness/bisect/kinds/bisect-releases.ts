// SPDX-License-Identifier: GPL-2.0
import {prepareKernel} from '../../engine/prepare-kernels.ts';
import {obtainBootableKernel} from '../../guest/bootable-kernel.ts';
import {parseKernelId} from '../../kernels/kernel-id.ts';
import {bisect} from '../engine/search.ts';
import {GuestTestBench} from '../guests/test-bench.ts';
import {sayStep} from '../report/bisect-progress.ts';
import type {Result} from '../report/bisect-report.ts';
import {type Release, ReleaseRange} from './release-range.ts';
import {releasesBetween} from './releases.ts';
import {type CommonOptions, withJournal} from './with-journal.ts';

export type ReleasesOptions = CommonOptions & {
	readonly good: string;
	readonly bad: string;
	/** A tree from which releases are built. */
	readonly source?: string | undefined;
};

/** Finds the first bad release and the last good one before it. */
export async function bisectReleases(options: ReleasesOptions): Promise<{result: Result; lastGood: Release}> {
	const {good, bad, source, predicate, signal, command} = options;
	const releases = await releasesBetween(good, bad);
	const range = new ReleaseRange(releases);
	const made = [await madeFrom(good, {signal}), await madeFrom(bad, {signal})];
	return withJournal(['releases', ...made, source ?? ''], options, async (directory, journal) => {
		const testBench = new GuestTestBench({
			...options,
			directory,
			reference: range.good,
			make: async candidate => ({
				guestBuild: await prepareKernel(candidate.id, {
					content: predicate.suite.content,
					signal,
					...(source !== undefined && {source}),
				}),
				isReused: releases.find(({id}) => id === candidate.id)?.cost === 'cached',
			}),
		});
		const {finding} = await bisect({...options, stage: 'releases', range, testBench, journal, onStep: sayStep});
		return {result: {predicate: predicate.title, finding, command, directory}, lastGood: range.lastGood};
	});
}

/** Part of the journal's name: a Debian id names another kernel every few weeks, and old answers are not about it. */
async function madeFrom(id: string, options: {signal: AbortSignal}): Promise<string> {
	return parseKernelId(id).kind === 'debian' ? `${id} ${(await obtainBootableKernel(id, options)).origin}` : id;
}

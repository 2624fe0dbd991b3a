import {parseKernelId} from '../kernels/kernel-id.ts';
import {obtainBootableKernel} from '../matrix/bootable-kernel.ts';
import {prepareKernel} from '../matrix/prepare-kernels.ts';
import {bisect} from './bisect.ts';
import {GuestLaboratory} from './guest-laboratory.ts';
import {sayStep} from './progress.ts';
import {type Release, ReleaseRange} from './release-range.ts';
import {releasesBetween} from './releases.ts';
import type {Result} from './report.ts';
import {type CommonOptions, inDirectory} from './run-bisect.ts';

export type ReleasesOptions = CommonOptions & {
	readonly good: string;
	readonly bad: string;
	/** A tree to build releases from. */
	readonly source?: string | undefined;
};

/** The first bad of the known releases, and the last good one before it. */
export async function bisectReleases(options: ReleasesOptions): Promise<{result: Result; lastGood: Release}> {
	const {good, bad, source, question, signal, command} = options;
	const releases = await releasesBetween(good, bad);
	const range = new ReleaseRange(releases);
	const made = [await madeFrom(good, {signal}), await madeFrom(bad, {signal})];
	return inDirectory(['releases', ...made, source ?? ''], options, async (directory, journal) => {
		const laboratory = new GuestLaboratory({
			...options,
			directory,
			reference: range.good,
			make: async subject => ({
				payload: await prepareKernel(subject.id, {signal, ...(source !== undefined && {source})}),
				isReused: releases.find(({id}) => id === subject.id)?.cost === 'cached',
			}),
		});
		const {finding} = await bisect({...options, stage: 'releases', range, laboratory, journal, onStep: sayStep});
		return {result: {question: question.title, finding, command, directory}, lastGood: range.lastGood};
	});
}

/** Debian's kernels are others from month to month; a journal is about those of its time. */
async function madeFrom(id: string, options: {signal: AbortSignal}): Promise<string> {
	return parseKernelId(id).kind === 'debian' ? `${id} ${(await obtainBootableKernel(id, options)).origin}` : id;
}

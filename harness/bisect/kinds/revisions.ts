// SPDX-License-Identifier: GPL-2.0
import {UsageError} from '../../host/errors.ts';
import {say} from '../../host/say.ts';
import {parseKernelId} from '../../kernels/kernel-id.ts';
import type {Candidate} from '../engine/candidate.ts';
import {SourceRepository} from '../repository/source-repository.ts';
import {versionOfRelease} from './releases.ts';

export type Revisions =
	| {readonly kind: 'commits'; readonly good: string; readonly bad: string}
	| {
			readonly kind: 'releases';
			/** The tags of the tree that these kernels were made from. Throws UsageError when the tree lacks them. */
			readonly of: (good: Candidate, bad: Candidate) => Promise<{readonly good: string; readonly bad: string}>;
	  };

/**
 * Tells whether two names are kernels (releases are bisected first) or revisions of the tree. Throws UsageError when
 * they are neither, or one of each.
 */
export async function revisionsBetween(linux: string, {good, bad}: {good: string; bad: string}): Promise<Revisions> {
	const repository = await SourceRepository.openTree(linux);
	const areKernels = [good, bad].map(isKernel);
	if (areKernels.every(Boolean)) {
		// Check the tags now: a missing one would otherwise surface after hours of testing releases.
		await tagsOf(repository, good, bad);
		return {
			kind: 'releases',
			async of(first, last) {
				const tags = await tagsOf(repository, first.id, last.id);
				say(`${tags.good} stands for ${first.id}, ${tags.bad} for ${last.id}.`);
				return tags;
			},
		};
	}
	const areRevisions = await Promise.all([good, bad].map(name => repository.has(name)));
	if (areRevisions.every(Boolean)) return {kind: 'commits', good, bad};
	const other = [good, bad].find((_, index) => !areRevisions[index])!;
	if (areKernels.some(Boolean) && areRevisions.some(Boolean)) {
		throw new UsageError(`${good} and ${bad} must both be kernels, or both revisions of ${linux}.`);
	}
	throw new UsageError(`${other} is neither a kernel nor a revision of ${linux}.`);
}

function isKernel(name: string): boolean {
	try {
		return parseKernelId(name).kind !== 'directory';
	} catch (error) {
		if (error instanceof UsageError) return false;
		throw error;
	}
}

/**
 * Stable branches are never merged back. If the good kernel is on one that does not lead to the bad kernel, the
 * mainline release where the branch starts stands for it.
 */
async function tagsOf(repository: SourceRepository, good: string, bad: string): Promise<{good: string; bad: string}> {
	const [from, to] = [await tagOf(repository, good), await tagOf(repository, bad)];
	const start = `v${seriesOf(from.slice(1))}`;
	const isBeside = !(await repository.leadsTo(from, to)) && (await repository.has(start));
	return {good: isBeside ? start : from, bad: to};
}

/** The tag of the stable release, or in a tree without stable tags, of the mainline release of its series. */
async function tagOf(repository: SourceRepository, id: string): Promise<string> {
	const version = await versionOfRelease(id);
	const tags = [`v${version}`, `v${seriesOf(version)}`];
	for (const tag of tags) if (await repository.has(tag)) return tag;
	throw new UsageError(`${repository.directory} has no tag ${tags[0]} or ${tags[1]}, from which ${id} was made.`);
}

function seriesOf(version: string): string {
	return version.split('.').slice(0, 2).join('.');
}

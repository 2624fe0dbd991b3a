// SPDX-License-Identifier: GPL-2.0
import {formatSize} from '../../host/disk-space.ts';
import {formatMs} from '../report/bisect-progress.ts';
import {SourceRepository} from '../repository/source-repository.ts';
import {planCommits} from './bisect-commits.ts';
import type {ModuleHistory} from './module-history.ts';
import {ReleaseRange} from './release-range.ts';
import {releasesBetween} from './releases.ts';
import {revisionsBetween} from './revisions.ts';

type Planned = {
	readonly good: string;
	readonly bad: string;
	readonly linux?: string | undefined;
	/** The history of the module that is bisected. */
	readonly module: ModuleHistory | undefined;
};

/** Estimates for two cores without KVM; after the first steps, measured times replace them. */
const typicalMs = {
	cached: 5000,
	fetched: 90_000,
	built: 360_000,
	/** The first commit is built in full, the others incrementally. */
	commit: 90_000,
	module: 15_000,
	ask: 10_000,
};

/** Describes what a bisect would do. Throws UsageError when it could not start. */
export async function describePlan({good, bad, linux, module}: Planned): Promise<string> {
	if (module !== undefined) {
		const {commits, steps} = await planModule(module, good, bad);
		return `${commits} commits of the module, about ${steps} steps, ${formatMs(steps * (typicalMs.module + typicalMs.ask))}\n`;
	}
	const revisions = linux === undefined ? undefined : await revisionsBetween(linux, {good, bad});
	if (linux !== undefined && revisions?.kind === 'commits') return describeCommits({linux, good, bad});
	const releases = await releasesBetween(good, bad);
	const {steps} = new ReleaseRange(releases).left();
	const rows = releases.map(({title, cost}) => `  ${title}: ${cost === 'cached' ? 'in the cache' : `to be ${cost}`}\n`);
	const dearest = releases.map(({cost}) => typicalMs[cost]).toSorted((a, b) => b - a);
	const ms = dearest.slice(0, steps + 2).reduce((sum, each) => sum + each + typicalMs.ask, 0);
	const then = linux === undefined ? '' : `then the commits between the two neighbours, in ${linux}\n`;
	return `${releases.length} kernels, both ends and about ${steps} steps, at most ${formatMs(ms)}:\n${rows.join('')}${then}`;
}

async function describeCommits(asked: {linux: string; good: string; bad: string}): Promise<string> {
	const {ends, steps, needBytes} = await planCommits(asked);
	const ms = typicalMs.built + steps * (typicalMs.commit + typicalMs.ask);
	return [
		`${ends.commits} commits from ${ends.good.title} to ${ends.bad.title}`,
		`both ends, about ${Math.ceil(Math.log2(ends.commits))} steps and three to verify, about ${formatMs(ms)}`,
		`needs ${formatSize(needBytes)} in the cache`,
		'',
	].join('\n');
}

async function planModule(
	{repository: directory, paths}: ModuleHistory,
	good: string,
	bad: string,
): Promise<{commits: number; steps: number}> {
	const repository = await SourceRepository.open(directory, {paths});
	const {commits} = await repository.ends(good, bad, {paths});
	return {commits, steps: Math.ceil(Math.log2(commits)) + 5};
}

// SPDX-License-Identifier: GPL-2.0
import path from 'node:path';
import {buildGuest} from '../../build/guest-build.ts';
import {locked} from '../../host/cache.ts';
import {requireSpace} from '../../host/disk-space.ts';
import {say} from '../../host/say.ts';
import type {Options} from '../../kernels/kconfig.ts';
import {inspectTree} from '../../kernels/source-tree.ts';
import {bisect} from '../engine/search.ts';
import {CommitKernels} from '../guests/commit-kernels.ts';
import type {ConfigMap} from '../guests/config-changes.ts';
import {GuestTestBench} from '../guests/test-bench.ts';
import {sayStep} from '../report/bisect-progress.ts';
import type {Result} from '../report/bisect-report.ts';
import {concludeCommit} from '../report/conclude-commit.ts';
import {buildDirectoryOf} from '../repository/build-directory.ts';
import {Checkout} from '../repository/checkout.ts';
import {git} from '../repository/git.ts';
import {GitRange} from '../repository/git-range.ts';
import {type Ends, SourceRepository} from '../repository/source-repository.ts';
import {type CommonOptions, withJournal} from './with-journal.ts';

export type CommitsOptions = CommonOptions & {
	/** A Linux repository; never written to. */
	readonly linux: string;
	/** Revisions of `linux`. */
	readonly good: string;
	readonly bad: string;
	/** The configuration to build with; default: images/kconfig. */
	readonly config?: Options | undefined;
	/** Options that other commits call otherwise. */
	readonly configMap?: ConfigMap | undefined;
};

export type CommitsPlan = {
	readonly repository: SourceRepository;
	readonly ends: Ends;
	readonly steps: number;
	readonly needBytes: number;
};

/** Disk space that one step keeps: an image, what modules need to build, a snapshot. */
const bytesPerStep = 350 * 2 ** 20;
const bytesOfBuild = 2 ** 30;

/** Computes the range, steps and disk space. Throws UsageError for an unusable tree or unusable revisions. */
export async function planCommits({
	linux,
	good,
	bad,
}: Pick<CommitsOptions, 'linux' | 'good' | 'bad'>): Promise<CommitsPlan> {
	await inspectTree(linux);
	const repository = await SourceRepository.openTree(linux);
	const ends = await repository.ends(good, bad);
	for (const end of [ends.good, ends.bad]) await repository.requireTree(end);
	const steps = Math.ceil(Math.log2(ends.commits)) + 3;
	const sizes = (
		await git(repository.directory, ['ls-tree', '-r', '-l', ends.bad.id, '--', ...repository.paths])
	).matchAll(/ +(\d+)\t/g);
	const tree = sizes.reduce((sum, [, size]) => sum + Number(size), 0);
	return {repository, ends, steps, needBytes: tree + bytesOfBuild + steps * bytesPerStep};
}

/**
 * Finds the first bad commit between two revisions, and verifies it. If it only renames an option that the configuration
 * asks for, searches again with both names.
 */
export async function bisectCommits(options: CommitsOptions): Promise<Result> {
	let configMap: ConfigMap = options.configMap ?? new Map();
	for (;;) {
		const result = await bisectOnce({...options, configMap});
		const found = [...(result.renames ?? [])].filter(([old]) => !configMap.has(old));
		if (found.length === 0) return result;
		const names = found.map(([old, now]) => `${old}=${now}`).join(' ');
		say(`the first bad commit renames options of the configuration; searching again with --config-map ${names}.`);
		configMap = new Map([...configMap, ...found]);
	}
}

/** Answers of kernels with other options, or with other names of them, are no answers. */
export function identityOfConfig({
	config,
	configMap = new Map(),
}: Pick<CommitsOptions, 'config' | 'configMap'>): string {
	return config ? JSON.stringify([[...config], [...configMap]]) : '';
}

async function bisectOnce(options: CommitsOptions): Promise<Result> {
	const {predicate, signal, command, linux} = options;
	const {repository, ends, needBytes} = await planCommits(options);
	return withJournal(
		['commits', path.resolve(linux), ends.good.id, ends.bad.id, identityOfConfig(options)],
		options,
		async (directory, journal) => {
			if (journal.size === 0) await requireSpace(directory, needBytes, 'this bisect');
			// The build directory is kept per repository, so that the next bisect reuses its objects.
			const shared = buildDirectoryOf(repository);
			return locked(shared, {signal}, async () => {
				const checkout = await Checkout.open(repository, path.join(shared, 'source'));
				const range = await GitRange.start(checkout, ends, repository);
				const kernels = new CommitKernels({
					...{checkout, work: shared, options: options.config, signal},
					configMap: options.configMap,
					fragment: predicate.suite.content.fragment,
				});
				const testBench = new GuestTestBench({
					...options,
					directory,
					reference: ends.good,
					async make(candidate) {
						const {kernel, ...known} = await kernels.kernelOf(candidate);
						return {guestBuild: await buildGuest(kernel, predicate.suite.content, {signal}), ...known};
					},
				});
				const found = await bisect({...options, stage: 'commits', range, testBench, journal, onStep: sayStep});
				return concludeCommit(found, {predicate: predicate.title, command, directory, checkout, bad: ends.bad});
			});
		},
	);
}

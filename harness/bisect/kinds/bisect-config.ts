// SPDX-License-Identifier: GPL-2.0
import {createHash} from 'node:crypto';
import path from 'node:path';
import {buildGuest} from '../../build/guest-build.ts';
import {locked} from '../../host/cache.ts';
import {UsageError} from '../../host/errors.ts';
import {inspectTree} from '../../kernels/source-tree.ts';
import type {Candidate} from '../engine/candidate.ts';
import {CommitKernels} from '../guests/commit-kernels.ts';
import {
	type Change,
	type ConfigMap,
	changesBetween,
	readConfig,
	titleOfChanges,
	underKnownNames,
	withChanges,
} from '../guests/config-changes.ts';
import {GuestTestBench} from '../guests/test-bench.ts';
import {sayVerification} from '../report/bisect-progress.ts';
import type {Result} from '../report/bisect-report.ts';
import {buildDirectoryOf} from '../repository/build-directory.ts';
import {Checkout, knownOptions} from '../repository/checkout.ts';
import {SourceRepository} from '../repository/source-repository.ts';
import {searchConfig} from './config-search.ts';
import {type CommonOptions, withJournal} from './with-journal.ts';

export type ConfigOptions = CommonOptions & {
	/** A Linux repository; its HEAD is built; never written to. */
	readonly linux: string;
	/** Paths of .config files. */
	readonly goodConfig: string;
	readonly badConfig: string;
	/** Options that other versions call otherwise. */
	readonly configMap?: ConfigMap | undefined;
};

/** Finds a smallest set of options that turns the good configuration bad, or with isFixed the bad one good. */
export async function bisectConfig(options: ConfigOptions): Promise<Result> {
	const {linux, goodConfig, badConfig, isFixed = false, signal, predicate, command} = options;
	await inspectTree(linux);
	const repository = await SourceRepository.openTree(linux);
	const commit = await repository.commit('HEAD');
	const known = await knownOptions(repository.directory, commit.id);
	const read = async (file: string) =>
		underKnownNames(await readConfig(file), options.configMap ?? new Map(), name => known.has(name));
	const [good, bad] = [await read(goodConfig), await read(badConfig)];
	const [base, target] = isFixed ? [bad, good] : [good, bad];
	const changes = changesBetween(base, target);
	if (changes.length === 0) throw new UsageError(`${goodConfig} and ${badConfig} are the same.`);
	const candidates = new Map<string, readonly Change[]>();
	const candidateOf = (some: readonly Change[]): Candidate => {
		const id = createHash('sha256').update(JSON.stringify(some)).digest('hex').slice(0, 12);
		candidates.set(id, some);
		return {id, title: titleOfChanges(some, isFixed ? 'bad' : 'good')};
	};
	const identity = JSON.stringify([...good, ...bad]);
	return withJournal(['config', path.resolve(linux), commit.id, identity], options, async (directory, journal) => {
		const work = buildDirectoryOf(repository);
		return locked(work, {signal}, async () => {
			const checkout = await Checkout.open(repository, path.join(work, 'source'));
			const kernels = new CommitKernels({checkout, work, signal});
			const reference = candidateOf([]);
			const testBench = new GuestTestBench({
				...options,
				directory,
				reference,
				async make({id}) {
					const {kernel, ...made} = await kernels.kernelOf(commit, withChanges(base, candidates.get(id) ?? []));
					return {guestBuild: await buildGuest(kernel, predicate.suite.content, {signal}), ...made};
				},
			});
			const {finding, verification} = await searchConfig(changes, {
				...options,
				...{testBench, journal, candidateOf, onStep: sayVerification},
			});
			return {
				predicate: `${predicate.title} at ${commit.title}`,
				finding,
				verification,
				command,
				directory,
			};
		});
	});
}

// SPDX-License-Identifier: GPL-2.0
import {existsSync} from 'node:fs';
import path from 'node:path';
import {buildGuest} from '../../build/guest-build.ts';
import {obtainBootableKernel} from '../../guest/bootable-kernel.ts';
import {UsageError} from '../../host/errors.ts';
import type {Candidate} from '../engine/candidate.ts';
import {bisect} from '../engine/search.ts';
import {GuestTestBench} from '../guests/test-bench.ts';
import {sayStep} from '../report/bisect-progress.ts';
import type {Result} from '../report/bisect-report.ts';
import {concludeCommit} from '../report/conclude-commit.ts';
import {Checkout} from '../repository/checkout.ts';
import {GitRange} from '../repository/git-range.ts';
import {SourceRepository} from '../repository/source-repository.ts';
import type {ModuleHistory} from './module-history.ts';
import {type CommonOptions, withJournal} from './with-journal.ts';

export type ModuleOptions = CommonOptions & {
	/** Revisions of the module's repository. */
	readonly good: string;
	readonly bad: string;
	/** The kernel on which all revisions run. */
	readonly kernel: string;
	/** Where the module's history is. Everything else in a guest comes from the files of now. */
	readonly history: ModuleHistory;
	readonly source?: string | undefined;
};

/** Finds the first bad commit of the module on one kernel. */
export async function bisectModule(options: ModuleOptions): Promise<Result> {
	const {good, bad, predicate, signal, command, history, source} = options;
	const {paths} = history;
	const repository = await SourceRepository.open(history.repository, {paths});
	const ends = await repository.ends(good, bad, {paths});
	const kernel = await obtainBootableKernel(options.kernel, {
		signal,
		fragment: predicate.suite.content.fragment,
		...(source !== undefined && {source}),
	});
	const what = ['module', repository.directory, kernel.bzImage, ends.good.id, ends.bad.id];
	return withJournal(what, options, async (directory, journal) => {
		const checkout = await Checkout.open(repository, path.join(directory, 'source'));
		const range = await GitRange.start(checkout, ends, {paths});
		const make = async ({id, title}: Candidate) => {
			await checkout.at(id);
			const missing = paths.find(each => !existsSync(path.join(checkout.directory, each)));
			if (missing !== undefined) throw new UsageError(`${title} has no ${missing}: it is older than the module.`);
			let isReused = true;
			const onCompile = () => {
				isReused = false;
			};
			const guestBuild = await buildGuest(kernel, history.at(checkout.directory), {signal, onCompile});
			return {guestBuild, isReused};
		};
		const testBench = new GuestTestBench({...options, directory, reference: ends.good, make});
		const found = await bisect({...options, stage: 'module', range, testBench, journal, onStep: sayStep});
		return concludeCommit(found, {
			predicate: `${predicate.title} on ${kernel.id}`,
			command,
			directory,
			checkout,
			bad: ends.bad,
		});
	});
}

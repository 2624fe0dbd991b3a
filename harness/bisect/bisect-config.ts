import {createHash} from 'node:crypto';
import path from 'node:path';
import {buildPayload} from '../build/payload.ts';
import {locked} from '../host/cache.ts';
import {UsageError} from '../host/errors.ts';
import {inspectTree} from '../kernels/source-tree.ts';
import {Checkout} from './checkout.ts';
import {CommitKernels} from './commit-kernels.ts';
import {type Change, changesBetween, readConfig, titleOfChanges, withChanges} from './config-changes.ts';
import {searchConfig} from './config-search.ts';
import {GuestLaboratory} from './guest-laboratory.ts';
import {History} from './history.ts';
import {sayVerification} from './progress.ts';
import type {Result} from './report.ts';
import {type CommonOptions, inDirectory} from './run-bisect.ts';
import type {Subject} from './subject.ts';
import {workOf} from './work.ts';

export type ConfigOptions = CommonOptions & {
	/** A Linux repository, whose HEAD is built; only read. */
	readonly linux: string;
	/** Files of kconfig. */
	readonly goodConfig: string;
	readonly badConfig: string;
};

/** The smallest set of options that makes a good configuration bad. */
export async function bisectConfig(options: ConfigOptions): Promise<Result> {
	const {linux, goodConfig, badConfig, signal, question, command} = options;
	const [good, bad] = [await readConfig(goodConfig), await readConfig(badConfig)];
	const changes = changesBetween(good, bad);
	if (changes.length === 0) throw new UsageError(`${goodConfig} and ${badConfig} say the same.`);
	await inspectTree(linux);
	const history = await History.open(linux);
	const commit = await history.commit('HEAD');
	const subjects = new Map<string, readonly Change[]>();
	const subjectOf = (some: readonly Change[]): Subject => {
		const id = createHash('sha256').update(JSON.stringify(some)).digest('hex').slice(0, 12);
		subjects.set(id, some);
		return {id, title: titleOfChanges(some)};
	};
	const identity = JSON.stringify([...good, ...bad]);
	return inDirectory(['config', path.resolve(linux), commit.id, identity], options, async (directory, journal) => {
		const work = workOf(history);
		return locked(work, {signal}, async () => {
			const checkout = await Checkout.open(history, path.join(work, 'source'));
			const kernels = new CommitKernels({checkout, work, signal});
			const reference = subjectOf([]);
			const laboratory = new GuestLaboratory({
				...options,
				directory,
				reference,
				async make({id}) {
					const {kernel, isReused} = await kernels.kernelOf(commit, withChanges(good, subjects.get(id) ?? []));
					return {payload: await buildPayload(kernel, {signal}), isReused};
				},
			});
			const {finding, verification} = await searchConfig(changes, {
				...options,
				...{laboratory, journal, subjectOf, onStep: sayVerification},
			});
			return {
				question: `${question.title} at ${commit.title}`,
				finding,
				verification,
				command,
				directory,
			};
		});
	});
}

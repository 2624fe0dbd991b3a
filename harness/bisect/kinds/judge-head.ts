// SPDX-License-Identifier: GPL-2.0
import path from 'node:path';
import {buildGuest} from '../../build/guest-build.ts';
import {prepareKernel} from '../../engine/prepare-kernels.ts';
import {quickKernelOf} from '../../engine/suite.ts';
import {cacheDirectory, locked} from '../../host/cache.ts';
import {inspectTree} from '../../kernels/source-tree.ts';
import type {Attempt} from '../engine/attempt.ts';
import {type Answer, CandidateError} from '../engine/candidate.ts';
import {tally} from '../engine/decide.ts';
import {sampleVerdict} from '../engine/sampling.ts';
import {CommitKernels} from '../guests/commit-kernels.ts';
import {GuestTestBench} from '../guests/test-bench.ts';
import {buildDirectoryOf} from '../repository/build-directory.ts';
import {Checkout} from '../repository/checkout.ts';
import {SourceRepository} from '../repository/source-repository.ts';
import type {CommonOptions} from './with-journal.ts';

export type StepOptions = Pick<CommonOptions, 'predicate' | 'isolation' | 'accelerator' | 'signal'> & {
	/** A Linux repository; never written to. */
	readonly linux: string;
	/** Number of passes that makes the commit good. */
	readonly repeats: number;
	/** Only failures that contain this text are bad; default: all. */
	readonly symptom?: string | undefined;
};

export type JudgedStep = {readonly verdict: Answer; readonly words: string};

/**
 * Judges the checked-out commit of a repository, as a step of `git bisect run`. Throws HostFaultError or UsageError.
 */
export async function judgeHead(options: StepOptions): Promise<JudgedStep> {
	const {linux, signal, symptom, repeats, predicate} = options;
	const {suite} = predicate;
	await inspectTree(linux);
	const repository = await SourceRepository.openTree(linux);
	// `git bisect start --no-checkout` leaves HEAD alone and sets BISECT_HEAD.
	const commit = await repository.commit((await repository.has('BISECT_HEAD')) ? 'BISECT_HEAD' : 'HEAD');
	const work = buildDirectoryOf(repository);
	return locked(work, {signal}, async () => {
		const checkout = await Checkout.open(repository, path.join(work, 'source'));
		const kernels = new CommitKernels({checkout, work, fragment: suite.content.fragment, signal});
		const other = quickKernelOf(suite);
		const reference = {id: other, title: other};
		const testBench = new GuestTestBench({
			...options,
			directory: cacheDirectory('bisect', 'steps'),
			reference,
			async make(candidate) {
				if (candidate.id === reference.id)
					return {guestBuild: await prepareKernel(other, {content: suite.content, signal}), isReused: true};
				const {kernel, isReused} = await kernels.kernelOf(candidate);
				return {guestBuild: await buildGuest(kernel, suite.content, {signal}), isReused};
			},
		});
		try {
			await testBench.prepare(commit);
			const symptomsOf = (attempts: readonly Attempt[]) =>
				symptom === undefined ? undefined : new Set(symptomsWith(symptom, attempts));
			const {verdict, reason, attempts} = await sampleVerdict(
				{candidate: commit, known: [], ask: times => testBench.ask(commit, times)},
				{repeats, symptomsOf},
			);
			const {bad, asked} = tally(attempts, symptomsOf(attempts));
			return {verdict, words: `${commit.title}: ${reason ?? `${bad} of ${asked} failed`}`};
		} catch (error) {
			if (!(error instanceof CandidateError)) throw error;
			return {verdict: 'skip', words: `${commit.title}: ${error.message}`};
		}
	});
}

function symptomsWith(text: string, attempts: readonly Attempt[]): readonly string[] {
	return attempts.flatMap(({symptoms}) => symptoms.filter(each => each.includes(text)));
}

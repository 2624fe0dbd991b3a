import path from 'node:path';
import {buildPayload} from '../build/payload.ts';
import {cacheDirectory, locked} from '../host/cache.ts';
import {inspectTree} from '../kernels/source-tree.ts';
import {prepareKernel} from '../matrix/prepare-kernels.ts';
import {embeddedKernel} from '../matrix/tested-kernels.ts';
import {askForVerdict} from './asking.ts';
import {Checkout} from './checkout.ts';
import {CommitKernels} from './commit-kernels.ts';
import {tally} from './decide.ts';
import {GuestLaboratory} from './guest-laboratory.ts';
import {History} from './history.ts';
import type {CommonOptions} from './run-bisect.ts';
import {SubjectError, type Verdict} from './subject.ts';
import type {Trial} from './trial.ts';
import {workOf} from './work.ts';

export type StepOptions = Pick<CommonOptions, 'question' | 'isolation' | 'accelerator' | 'signal'> & {
	/** A Linux repository; only read. */
	readonly linux: string;
	/** So many passes make it good. */
	readonly repeats: number;
	/** Only failures that say this are bad; else all are. */
	readonly symptom?: string | undefined;
};

export type JudgedStep = {readonly verdict: Verdict; readonly words: string};

/** Judges the commit that a repository is at, for somebody else's bisect. Throws HostFaultError or UsageError. */
export async function judgeStep(options: StepOptions): Promise<JudgedStep> {
	const {linux, signal, symptom, repeats} = options;
	await inspectTree(linux);
	const history = await History.open(linux);
	// With `git bisect start --no-checkout` the tree stays as it is.
	const commit = await history.commit((await history.has('BISECT_HEAD')) ? 'BISECT_HEAD' : 'HEAD');
	const work = workOf(history);
	return locked(work, {signal}, async () => {
		const checkout = await Checkout.open(history, path.join(work, 'source'));
		const kernels = new CommitKernels({checkout, work, signal});
		const reference = {id: embeddedKernel, title: embeddedKernel};
		const laboratory = new GuestLaboratory({
			...options,
			directory: cacheDirectory('bisect', 'steps'),
			reference,
			async make(subject) {
				if (subject.id === reference.id)
					return {payload: await prepareKernel(embeddedKernel, {signal}), isReused: true};
				const {kernel, isReused} = await kernels.kernelOf(subject);
				return {payload: await buildPayload(kernel, {signal}), isReused};
			},
		});
		try {
			await laboratory.prepare(commit);
			const symptomsOf = (trials: readonly Trial[]) =>
				symptom === undefined ? undefined : new Set(symptomsWith(symptom, trials));
			const {verdict, reason, trials} = await askForVerdict(
				{subject: commit, known: [], ask: times => laboratory.ask(commit, times)},
				{repeats, symptomsOf},
			);
			const {bad, asked} = tally(trials, symptomsOf(trials));
			return {verdict, words: `${commit.title}: ${reason ?? `${bad} of ${asked} failed`}`};
		} catch (error) {
			if (!(error instanceof SubjectError)) throw error;
			return {verdict: 'skip', words: `${commit.title}: ${error.message}`};
		}
	});
}

function symptomsWith(text: string, trials: readonly Trial[]): readonly string[] {
	return trials.flatMap(({symptoms}) => symptoms.filter(each => each.includes(text)));
}

import path from 'node:path';
import {buildPayload} from '../build/payload.ts';
import {locked} from '../host/cache.ts';
import {mustFit} from '../host/room.ts';
import type {Options} from '../kernels/kconfig.ts';
import {inspectTree} from '../kernels/source-tree.ts';
import {bisect} from './bisect.ts';
import {Checkout} from './checkout.ts';
import {CommitKernels} from './commit-kernels.ts';
import {concludeCommit} from './conclude-commit.ts';
import {git} from './git.ts';
import {GitRange} from './git-range.ts';
import {GuestLaboratory} from './guest-laboratory.ts';
import {type Ends, History} from './history.ts';
import {sayStep} from './progress.ts';
import type {Result} from './report.ts';
import {type CommonOptions, inDirectory} from './run-bisect.ts';
import {workOf} from './work.ts';

export type CommitsOptions = CommonOptions & {
	/** A Linux repository; only read. */
	readonly linux: string;
	/** Revisions of it. */
	readonly good: string;
	readonly bad: string;
	/** The configuration to build with, else that of images/kconfig. */
	readonly config?: Options | undefined;
};

export type CommitsPlan = {
	readonly history: History;
	readonly ends: Ends;
	readonly steps: number;
	readonly needBytes: number;
};

/** So much is left by the build of one commit: its image, what modules need, a saved guest. */
const bytesPerStep = 350 * 2 ** 20;
const bytesOfBuild = 2 ** 30;

/** What there is to do. Throws UsageError for a tree or for revisions that will not do. */
export async function planCommits({
	linux,
	good,
	bad,
}: Pick<CommitsOptions, 'linux' | 'good' | 'bad'>): Promise<CommitsPlan> {
	await inspectTree(linux);
	const history = await History.open(linux);
	const ends = await history.ends(good, bad);
	const steps = Math.ceil(Math.log2(ends.commits)) + 3;
	const sizes = (await git(history.directory, ['ls-tree', '-r', '-l', ends.bad.id])).matchAll(/ +(\d+)\t/g);
	const tree = sizes.reduce((sum, [, size]) => sum + Number(size), 0);
	return {history, ends, steps, needBytes: tree + bytesOfBuild + steps * bytesPerStep};
}

/** The first bad commit between two, verified. */
export async function bisectCommits(options: CommitsOptions): Promise<Result> {
	const {question, signal, command, linux} = options;
	const {history, ends, needBytes} = await planCommits(options);
	const configIdentity = options.config ? JSON.stringify([...options.config]) : '';
	return inDirectory(
		['commits', path.resolve(linux), ends.good.id, ends.bad.id, configIdentity],
		options,
		async (directory, journal) => {
			if (journal.size === 0) await mustFit(directory, needBytes, 'this bisect');
			// Kept for all bisects of that repository: what is compiled there serves the next one, too.
			const shared = workOf(history);
			return locked(shared, {signal}, async () => {
				const checkout = await Checkout.open(history, path.join(shared, 'source'));
				const range = await GitRange.start(checkout, ends);
				const kernels = new CommitKernels({checkout, work: shared, options: options.config, signal});
				const laboratory = new GuestLaboratory({
					...options,
					directory,
					reference: ends.good,
					async make(subject) {
						const {kernel, isReused} = await kernels.kernelOf(subject);
						return {payload: await buildPayload(kernel, {signal}), isReused};
					},
				});
				const found = await bisect({...options, stage: 'commits', range, laboratory, journal, onStep: sayStep});
				return concludeCommit(found, {question: question.title, command, directory, checkout, bad: ends.bad});
			});
		},
	);
}

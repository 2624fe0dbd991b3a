import {existsSync} from 'node:fs';
import path from 'node:path';
import {buildPayload} from '../build/payload.ts';
import {UsageError} from '../host/errors.ts';
import {obtainBootableKernel} from '../matrix/bootable-kernel.ts';
import {bisect} from './bisect.ts';
import {Checkout} from './checkout.ts';
import {concludeCommit} from './conclude-commit.ts';
import {GitRange} from './git-range.ts';
import {GuestLaboratory} from './guest-laboratory.ts';
import {History} from './history.ts';
import {sayStep} from './progress.ts';
import type {Result} from './report.ts';
import {type CommonOptions, inDirectory} from './run-bisect.ts';
import type {Subject} from './subject.ts';

/** The sources of the module; all else of a guest is that of today. */
export const modulePaths = ['kmod'];

export type ModuleOptions = CommonOptions & {
	/** Revisions of the repository in `tree`. */
	readonly good: string;
	readonly bad: string;
	/** The kernel that all of them run on. */
	readonly kernel: string;
	readonly tree: string;
	readonly source?: string | undefined;
};

/** The first bad commit of the module, on one kernel. */
export async function bisectModule(options: ModuleOptions): Promise<Result> {
	const {good, bad, question, signal, command, tree, source} = options;
	const history = await History.open(tree, {paths: modulePaths});
	const ends = await history.ends(good, bad, {paths: modulePaths});
	const kernel = await obtainBootableKernel(options.kernel, {signal, ...(source !== undefined && {source})});
	const what = ['module', history.directory, kernel.bzImage, ends.good.id, ends.bad.id];
	return inDirectory(what, options, async (directory, journal) => {
		const checkout = await Checkout.open(history, path.join(directory, 'source'));
		const range = await GitRange.start(checkout, ends, {paths: modulePaths});
		const make = async ({id, title}: Subject) => {
			await checkout.at(id);
			const module = path.join(checkout.directory, modulePaths[0]!);
			if (!existsSync(module)) throw new UsageError(`${title} has no ${modulePaths[0]}/: it is older than the module.`);
			let isReused = true;
			const onCompile = () => {
				isReused = false;
			};
			const payload = await buildPayload(kernel, {signal, module, onCompile});
			return {payload, isReused};
		};
		const laboratory = new GuestLaboratory({...options, directory, reference: ends.good, make});
		const found = await bisect({...options, stage: 'module', range, laboratory, journal, onStep: sayStep});
		return concludeCommit(found, {
			question: `${question.title} on ${kernel.id}`,
			command,
			directory,
			checkout,
			bad: ends.bad,
		});
	});
}

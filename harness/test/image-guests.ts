// SPDX-License-Identifier: GPL-2.0
import {copyFile, readFile} from 'node:fs/promises';
import path from 'node:path';
import {casesPredicate} from '../bisect/guests/predicate.ts';
import type {GuestTestBenchOptions} from '../bisect/guests/test-bench.ts';
import {type CommonOptions, Stages} from '../bisect/kinds/with-journal.ts';
import {obtainUserland} from '../build/userland.ts';
import {defineCase} from '../engine/case.ts';
import type {Suite} from '../engine/suite.ts';
import {cacheDirectory} from '../host/cache.ts';
import {fakeSuite} from './fake-guest.ts';
import {freshCache} from './fresh-cache.ts';

/** A fresh cache that has the guests' userland, so that guests are built without a network. Tests with it are serial. */
export async function buildingCache(): ReturnType<typeof freshCache> {
	await obtainUserland();
	const note = path.join(cacheDirectory('kernels'), 'guest.tree.json');
	const cache = await freshCache();
	await copyFile(note, path.join(cacheDirectory('kernels'), 'guest.tree.json'));
	return cache;
}

/** How the guests of an image end: they do not boot, or their only cell passes, or fails with these words. */
export type EndOfImage = 'no boot' | 'pass' | `fail: ${string}`;

/**
 * Runs cells for the bisects without QEMU: kernels and guests are built, and `endOf` tells from the text of an image how
 * its guests end. `asked` has the first line of the image for each cell that was run.
 */
export function imageGuests(endOf: (image: string) => EndOfImage) {
	const asked: string[] = [];
	const run: GuestTestBenchOptions['run'] = async ({cells, emit, prepare, consoles}) => {
		const {kernel} = await prepare!('any');
		consoles!.consolePath(kernel.id);
		const image = await readFile(kernel.bzImage, 'utf8');
		const end = endOf(image);
		for (const {mechanism, case: caseId, repeat} of cells) {
			asked.push(image.split('\n', 1)[0]!);
			const [verdict, message] = end.split(': ') as ['pass' | 'fail', string?];
			if (end === 'no boot') continue;
			emit({
				...{type: 'cell', kernel: kernel.id, mechanism, case: caseId, repeat, verdict, durationMs: 1},
				...(message !== undefined && {message}),
			});
		}
		if (end === 'no boot')
			emit({type: 'kernel', kernel: kernel.id, state: 'failed', reason: 'panic', notRun: cells.length});
		return {end: {type: 'end', counts: {} as never, durationMs: 1, exitCode: 0}, consoles: ''};
	};
	return {asked, run};
}

const suite: Suite = {
	...fakeSuite,
	kernels: {default: 'debian-6.1'},
	cases: async () => [defineCase({id: 'fake/case', deadlineMs: 1000, run: async () => {}})],
};

/** Options of a bisect whose guests `run` runs. */
export async function bisectOptions(run: CommonOptions['run']): Promise<CommonOptions> {
	const predicate = await casesPredicate(suite, ['fake/case']);
	const {signal} = new AbortController();
	return {
		...{predicate, confidence: 0.95, isAnyFailure: false, isolation: 'reuse', signal, isRestart: false, run},
		...{command: 'bisect', stages: new Stages()},
	};
}

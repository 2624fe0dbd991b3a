// SPDX-License-Identifier: GPL-2.0
import {mkdtempDisposable} from 'node:fs/promises';
import {tmpdir} from 'node:os';
import path from 'node:path';
import test from 'ava';
import {BootError, BuildError} from '../host/errors.ts';
import {KernelUnavailableError} from '../kernels/unavailable.ts';
import type {Event} from '../results/run/events.ts';
import {fakeCell, fakeSuite} from '../test/fake-guest.ts';
import {runKernels} from './run-kernels.ts';

for (const [state, error] of [
	['unavailable', new KernelUnavailableError('fake', {reason: 'There is none.', advice: 'Wait.'})],
	['failed', new BuildError('it does not build')],
	['failed', new BootError('it does not boot', {reason: 'it does not boot', console: ''})],
] as const) {
	test(`a kernel that is ${state} by a ${error.name} can be run again with the options of its suite`, async t => {
		await using directory = await mkdtempDisposable(path.join(tmpdir(), 'run-'));
		const events: Event[] = [];
		const suite = {...fakeSuite, options: '--suite mine.ts'};
		await runKernels({
			suite,
			cells: [{...fakeCell(async () => {}), suite}],
			emit: event => events.push(event),
			signal: new AbortController().signal,
			consoles: {id: 'run', consoles: directory.path, consolePath: () => path.join(directory.path, 'console')},
			prepare: () => Promise.reject(error),
		});
		t.like(
			events.find(({type}) => type === 'kernel'),
			{state, suite: '--suite mine.ts', notRun: 1},
		);
		t.like(events.at(-1), {type: 'end', notRun: 1, exitCode: 3});
	});
}

// SPDX-License-Identifier: GPL-2.0
import {mkdtempDisposable} from 'node:fs/promises';
import {tmpdir} from 'node:os';
import path from 'node:path';
import test from 'ava';
import {BootError, BuildError} from '../host/errors.ts';
import {KernelUnavailableError} from '../kernels/unavailable.ts';
import type {CellEvent, Event, KernelEvent, RunEvent} from '../results/run/events.ts';
import {fakeCell, fakeSuite} from '../test/fake-guest.ts';
import {type RunKernelsOptions, runKernels} from './run-kernels.ts';

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

/** The events of a run of cells whose kernels do not build, and what it ended with. */
async function runNothing(options: Pick<RunKernelsOptions, 'cells' | 'earlier'>) {
	await using directory = await mkdtempDisposable(path.join(tmpdir(), 'run-'));
	const events: Event[] = [];
	const prepared: string[] = [];
	const [settled] = await Promise.allSettled([
		runKernels({
			suite: fakeSuite,
			emit: event => events.push(event),
			signal: new AbortController().signal,
			consoles: {id: 'run', consoles: directory.path, consolePath: () => path.join(directory.path, 'console')},
			async prepare(kernel) {
				prepared.push(kernel);
				throw new BuildError('it does not build');
			},
			...options,
		}),
	]);
	return {events, prepared, settled};
}

const left = fakeCell(async () => {}, {kernel: 'left'});
const kernels: readonly KernelEvent[] = [
	{type: 'kernel', kernel: 'k', state: 'ready', release: '6.1.0', bootMs: 1},
	{type: 'kernel', kernel: 'l', state: 'ready', release: '6.12.0', bootMs: 1},
];
const finished = kernels.map(
	({kernel}): CellEvent => ({
		...{type: 'cell', kernel, mechanism: 'fake', case: 'fake/case', repeat: 0, verdict: 'pass', durationMs: 1},
	}),
);

/** The first event of the run that a test resumes. */
async function earlierRun(): Promise<RunEvent> {
	const {events} = await runNothing({cells: [left]});
	return {...(events[0] as RunEvent), id: 'earlier', order: {suites: ['other', 'fake'], targets: []}};
}

test('a resumed run holds the kernels and cells that were done before, and then what is left', async t => {
	const run = await earlierRun();
	const {events, prepared} = await runNothing({
		cells: [left],
		earlier: {name: 'earlier', run, kernels, cells: finished},
	});
	t.deepEqual(prepared, ['left'], 'kernels that are done are not made again');
	t.like(events[0], {type: 'run', id: 'run', cells: 3, order: run.order});
	t.deepEqual(events.slice(1, -2), [...kernels, ...finished]);
	t.like(events.at(-2), {type: 'kernel', kernel: 'left', state: 'failed', notRun: 1});
	t.like(events.at(-1), {type: 'end', counts: {pass: 2}, notRun: 1, exitCode: 3});
});

test('a resumed run of which nothing is left ends as the earlier one would have', async t => {
	const run = await earlierRun();
	const [passed, other] = finished as [CellEvent, CellEvent];
	for (const [verdict, exitCode] of [
		['pass', 0],
		['fail', 1],
	] as const) {
		const cells = [passed, {...other, verdict}];
		const {events, prepared} = await runNothing({cells: [], earlier: {name: 'earlier', run, kernels, cells}});
		t.deepEqual(prepared, []);
		t.deepEqual(events.slice(1, -1), [...kernels, ...cells]);
		t.like(events.at(-1), {type: 'end', exitCode});
	}
});

test('a run of other sources is not resumed, and nothing is emitted', async t => {
	const run = await earlierRun();
	const other = {...run, versions: {...run.versions, fake: 'other'}};
	const earlier = {name: 'earlier', run: other, kernels, cells: finished};
	const {events, settled} = await runNothing({cells: [left], earlier});
	t.like(settled, {status: 'rejected', reason: {name: 'UsageError'}});
	t.deepEqual(events, []);
});

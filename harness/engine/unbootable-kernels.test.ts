// SPDX-License-Identifier: GPL-2.0
import test from 'ava';
import {BootError} from '../host/errors.ts';
import type {Event, KernelEvent} from '../results/run/events.ts';
import {FakeGuest, fakeCell} from '../test/fake-guest.ts';
import {cellsOf, runFake} from '../test/fake-matrix.ts';
import {keepAlive} from '../test/keep-alive.ts';
import type {Cell} from './plan.ts';

keepAlive();

const pass = () => fakeCell(async () => {});

const kernelsOf = (events: readonly Event[]) => events.filter((event): event is KernelEvent => event.type === 'kernel');
const of = (kernel: string, run: Cell['definition']['run'] = async () => {}) => fakeCell(run, {kernel});

test('a kernel that does not boot is reported once for all its cells', async t => {
	let boots = 0;
	const {events, verdicts} = await runFake([of('broken'), of('broken'), of('broken'), pass()], {
		workers: 2,
		leftOut: 7,
		async bootGuest(kernel) {
			if (kernel !== 'broken') return new FakeGuest();
			boots++;
			throw new BootError('it did not boot\nits console', {reason: 'it did not boot', console: 'its console'});
		},
	});
	t.deepEqual(verdicts, ['pass']);
	t.is(boots, 2, 'each worker had already started a boot');
	t.deepEqual(
		kernelsOf(events).filter(({state}) => state === 'failed'),
		[{...failed, reason: 'it did not boot', console: 'its console', notRun: 3}],
	);
	t.like(events.at(-1), {type: 'end', counts: {pass: 1, infra: 0}, notRun: 10, exitCode: 3});
});

const failed = {type: 'kernel', kernel: 'broken', state: 'failed'} as const;

test('a kernel that dies without a word has an empty console, not none', async t => {
	const {events} = await runFake([of('broken')], {
		bootGuest: () => Promise.reject(new BootError('it did not boot', {reason: 'it did not boot', console: ''})),
	});
	t.is(kernelsOf(events)[0]!.console, '');
});

test('a kernel that stops booting keeps its verdicts, and its other cells are reported once', async t => {
	let boots = 0;
	const cells = [of('broken'), of('broken', () => Promise.reject(new TypeError('ours'))), of('broken'), of('broken')];
	const {events} = await runFake([...cells, pass()], {
		async bootGuest(kernel) {
			if (kernel === 'broken' && ++boots > 1) throw new RangeError('no memory');
			return new FakeGuest();
		},
	});
	t.deepEqual(
		cellsOf(events).map(({kernel, verdict, again}) => `${kernel} ${verdict} ${again?.verdict ?? ''}`.trim()),
		['broken pass', 'broken infra', 'fake pass'],
		'the cell that could not be rerun keeps its verdict',
	);
	t.deepEqual(
		kernelsOf(events).map(({kernel, state, notRun}) => [kernel, state, notRun]),
		[
			['broken', 'ready', undefined],
			['broken', 'failed', 2],
			['fake', 'ready', undefined],
		],
	);
	t.is(boots, 2);
	t.like(events.at(-1), {notRun: 2, exitCode: 3});
});

test('cells that run while their kernel fails get a verdict, and the failure is reported after them', async t => {
	const [hasFailed, isFree] = [Promise.withResolvers<void>(), Promise.withResolvers<void>()];
	let boots = 0;
	const slow = () =>
		of('broken', async () => {
			await hasFailed.promise;
			setTimeout(isFree.resolve, 50);
			await isFree.promise;
		});
	const {events} = await runFake([slow(), slow(), slow(), slow()], {
		workers: 2,
		async bootGuest() {
			if (++boots === 1) return new FakeGuest();
			setTimeout(hasFailed.resolve, 10);
			throw new BootError('no');
		},
	});
	t.deepEqual(
		cellsOf(events).map(({verdict}) => verdict),
		['pass'],
	);
	t.like(kernelsOf(events).at(-1), {state: 'failed', notRun: 3});
	t.like(events.at(-1), {counts: {pass: 1}, notRun: 3, exitCode: 3});
});

test('an inconclusive cell stays inconclusive if there is no guest to run it again', async t => {
	let boots = 0;
	const cell = of('broken', async context => context.inconclusive('no overlap'));
	const {events} = await runFake([cell, of('broken')], {
		isolation: 'restore',
		async bootGuest() {
			if (++boots > 1) throw new BootError('no');
			return new FakeGuest();
		},
	});
	t.deepEqual(
		cellsOf(events).map(({verdict, message}) => `${verdict}: ${message}`),
		['inconclusive: no overlap'],
	);
	t.like(kernelsOf(events).at(-1), {state: 'failed', notRun: 1});
});

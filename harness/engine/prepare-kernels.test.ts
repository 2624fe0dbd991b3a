// SPDX-License-Identifier: GPL-2.0
import test from 'ava';
import type {GuestBuild} from '../build/guest-build.ts';
import {BootError, BuildError, UsageError} from '../host/errors.ts';
import {KernelUnavailableError} from '../kernels/unavailable.ts';
import type {KernelEvent} from '../results/run/events.ts';
import {fakeSuite} from '../test/fake-guest.ts';
import {prepareKernels} from './prepare-kernels.ts';

const cells = ['a', 'b', 'a', 'c', 'a'].map(kernel => ({kernel}));

/** Prepares the kernels of the cells, each as `prepare` says. */
async function prepareAll(
	prepare: (kernel: string) => Promise<GuestBuild>,
	{signal = new AbortController().signal} = {},
) {
	const events: KernelEvent[] = [];
	const preparing = prepareKernels(cells, {
		...{content: fakeSuite.content, signal, prepare},
		emit: event => events.push(event),
	});
	const [settled] = await Promise.allSettled([preparing]);
	return {events, settled};
}

const buildOf = (kernel: string) => ({kernel: {id: kernel}}) as GuestBuild;

test('each kernel is prepared once, and one that there is not is told with what to do about it', async t => {
	const asked: string[] = [];
	const {events, settled} = await prepareAll(async kernel => {
		asked.push(kernel);
		if (kernel === 'a') throw new KernelUnavailableError('a', {reason: 'It is not there.', advice: 'Wait.'});
		if (kernel === 'b') throw new BuildError('b does not build');
		return buildOf(kernel);
	});
	t.deepEqual(asked, ['a', 'b', 'c']);
	t.deepEqual(events[0], {
		...{type: 'kernel', kernel: 'a', state: 'unavailable', reason: 'It is not there. Wait.', notRun: 3},
	});
	t.like(events[1], {type: 'kernel', kernel: 'b', state: 'failed', notRun: 1});
	t.is(events.length, 2);
	t.deepEqual(settled.status === 'fulfilled' && [...settled.value], [['c', buildOf('c')]]);
});

test('an error of the person or of the harness ends the preparation', async t => {
	for (const error of [new UsageError('no such tree'), new TypeError('ours')]) {
		const {events, settled} = await prepareAll(() => Promise.reject(error));
		t.like(settled, {status: 'rejected', reason: error});
		t.deepEqual(events, []);
	}
});

test('an interrupt ends the preparation, whatever it makes fail', async t => {
	const failures = [
		new BuildError('make was killed'),
		new BootError('it does not boot', {reason: 'it does not boot', console: ''}),
		new KernelUnavailableError('a', {reason: 'No.', advice: 'Wait.'}),
	];
	for (const failure of failures) {
		const interrupt = new AbortController();
		const reason = new RangeError('enough');
		const {events, settled} = await prepareAll(
			async () => {
				interrupt.abort(reason);
				throw failure;
			},
			{signal: interrupt.signal},
		);
		t.is(settled.status === 'rejected' && settled.reason, reason);
		t.deepEqual(events, []);
	}
});

// SPDX-License-Identifier: GPL-2.0
import test, {type ExecutionContext} from 'ava';
import type {Event, KernelEvent} from '../results/run/events.ts';
import {FakeGuest} from '../test/fake-guest.ts';
import {BootedKernels} from './booted-kernels.ts';

/** Kernels whose guests boot, or do not, when the test says so; `boots` are those that were begun, in order. */
function openKernels() {
	const boots: (PromiseWithResolvers<FakeGuest> & {readonly kernel: string})[] = [];
	const told: KernelEvent[] = [];
	const controller = new AbortController();
	const kernels = new BootedKernels({
		signal: controller.signal,
		emit: (event: Event) => told.push(event as KernelEvent),
		async bootGuest(kernel) {
			const boot = Promise.withResolvers<FakeGuest>();
			boots.push({kernel, ...boot});
			return boot.promise;
		},
	});
	return {kernels, boots, told, controller};
}

const fails = async (t: ExecutionContext, boot: Promise<unknown>, message: string) => t.throwsAsync(boot, {message});

test('two boots of a kernel that fail at the same time are one failure, with all cells that did not run', async t => {
	const {kernels, boots, told} = openKernels();
	const [one, other] = [0, 1].map(() => {
		kernels.begin('k');
		return kernels.boot('k');
	}) as [Promise<unknown>, Promise<unknown>];
	boots[0]!.reject(new Error('no memory'));
	await fails(t, one, 'no memory');
	t.true(kernels.hasFailed('k'));
	kernels.giveUp('k', 400);
	kernels.end('k');
	t.deepEqual(told, [], 'another cell of it is still running');
	boots[1]!.reject(new Error('no disk'));
	await fails(t, other, 'no disk');
	kernels.giveUp('k', 1);
	t.is(kernels.notRun, 401);
	kernels.end('k');
	t.deepEqual(told, [{type: 'kernel', kernel: 'k', state: 'failed', reason: 'no memory', notRun: 401}]);
	kernels.begin('k');
	await fails(t, kernels.boot('k'), 'no memory');
	t.is(boots.length, 2, 'it is not booted again');
	kernels.end('k');
	t.is(told.length, 1);
});

test('a failure that has been told is not told again for a boot that fails after it', async t => {
	const {kernels, boots, told} = openKernels();
	kernels.begin('k');
	// The guest of a rerun belongs to no cell that is counted.
	const [one, other] = [kernels.boot('k'), kernels.boot('k')];
	boots[0]!.reject(new Error('no memory'));
	await fails(t, one, 'no memory');
	kernels.giveUp('k', 3);
	kernels.end('k');
	boots[1]!.reject(new Error('no disk'));
	await fails(t, other, 'no disk');
	kernels.begin('k');
	kernels.end('k');
	t.deepEqual(
		told.map(({reason}) => reason),
		['no memory'],
	);
	t.is(kernels.notRun, 3);
});

test('each kernel is told as ready once, and the failure of one says nothing of another', async t => {
	const {kernels, boots, told} = openKernels();
	for (const kernel of ['k', 'l']) kernels.begin(kernel);
	const booting = [kernels.boot('k'), kernels.boot('k'), kernels.boot('l')];
	t.false(kernels.isOneMissing);
	boots[0]!.resolve(new FakeGuest());
	boots[1]!.resolve(new FakeGuest());
	boots[2]!.reject(new Error('no memory'));
	await Promise.allSettled(booting);
	for (const kernel of ['k', 'l']) kernels.end(kernel);
	t.deepEqual(
		told.map(({kernel, state}) => `${kernel} ${state}`),
		['k ready', 'l failed'],
	);
	t.deepEqual([kernels.hasFailed('k'), kernels.hasFailed('l'), kernels.isOneMissing], [false, true, true]);
});

test('a boot that ends because the run was interrupted is no failure of its kernel', async t => {
	const {kernels, boots, told, controller} = openKernels();
	kernels.begin('k');
	const booting = kernels.boot('k');
	controller.abort(new Error('interrupted'));
	boots[0]!.reject(new Error('QEMU was killed'));
	await fails(t, booting, 'interrupted');
	kernels.end('k');
	t.deepEqual([told.length, kernels.isOneMissing, kernels.hasFailed('k')], [0, false, false]);
});

// SPDX-License-Identifier: GPL-2.0
import test from 'ava';
import type {KernelEvent} from './events.ts';
import {kernelWords, summarizeKernels, sumOfNotRun, unusableKernels} from './kernel-summary.ts';

const event = (kernel: string, state: KernelEvent['state'], more: Partial<KernelEvent> = {}): KernelEvent => ({
	type: 'kernel',
	kernel,
	state,
	...more,
});
const ready = event('k', 'ready', {release: '6.1.0', bootMs: 400});
const failed = event('k', 'failed', {reason: 'it did not boot', console: 'a word', notRun: 3});

test('a kernel that was unusable once is not ready, whatever else happened to it', t => {
	for (const events of [
		[ready, failed],
		[failed, ready],
	]) {
		t.deepEqual(summarizeKernels(events).get('k'), {
			...{kernel: 'k', state: 'failed', release: '6.1.0', bootMs: 400},
			...{reason: 'it did not boot', console: 'a word', notRun: 3, hasBooted: true},
		});
	}
	t.like(summarizeKernels([failed]).get('k'), {state: 'failed', notRun: 3, hasBooted: false});
	t.like(summarizeKernels([ready]).get('k'), {state: 'ready', notRun: 0, hasBooted: true});
	t.deepEqual(
		unusableKernels([event('l', 'unavailable'), ready, event('m', 'ready')]).map(({kernel}) => kernel),
		['l'],
	);
});

test('cells that did not run are added up over stages and kernels', t => {
	t.is(summarizeKernels([failed, {...failed, notRun: 4}]).get('k')?.notRun, 7);
	t.is(sumOfNotRun([failed, ready, event('l', 'unavailable', {notRun: 10})]), 13);
});

test('kernelWords combines the reason with the number of cells that did not run', t => {
	t.is(kernelWords({reason: 'it did not boot\nand more', notRun: 214}), 'it did not boot; 214 cells did not run');
	t.is(kernelWords({reason: 'Give a tree.', notRun: 1}), 'Give a tree. 1 cell did not run');
	t.is(kernelWords({reason: 'Give a tree.', notRun: 0}), 'Give a tree.');
	t.is(kernelWords({notRun: 0}), 'No reason is given.');
});

test('a sentence that ends with any mark is followed by another one', t => {
	t.is(kernelWords({reason: 'No guest!', notRun: 2}), 'No guest! 2 cells did not run');
	t.is(kernelWords({reason: 'Is it there?', notRun: 2}), 'Is it there? 2 cells did not run');
});

test('blank lines before a reason do not count', t => {
	t.is(kernelWords({reason: '\n it died\nof this', notRun: 0}), 'it died');
});

test('of several boots the last one counts', t => {
	const later = event('k', 'ready', {release: '6.1.1', bootMs: 500});
	t.like(summarizeKernels([ready, later]).get('k'), {release: '6.1.1', bootMs: 500});
	t.like(summarizeKernels([ready, later, failed]).get('k'), {state: 'failed', release: '6.1.1', bootMs: 500});
});

// SPDX-License-Identifier: GPL-2.0
import {mkdtempDisposable} from 'node:fs/promises';
import {tmpdir} from 'node:os';
import path from 'node:path';
import test from 'ava';
import {UsageError} from '../host/errors.ts';
import {defaultKernel, fallbackKernel} from '../kernels/default-kernels.ts';
import {chooseKernels} from './choose-kernels.ts';

const own = {default: defaultKernel, fallback: fallbackKernel};

test('without --kernel, an unavailable default is replaced by another kernel, with a notice', async t => {
	await using cache = await mkdtempDisposable(path.join(tmpdir(), 'choose-'));
	process.env.PROBE_MATRIX_CACHE = cache.path;
	process.env.PROBE_MATRIX_KERNEL_MIRROR = 'http://127.0.0.1:9';
	const {kernels, notice} = await chooseKernels([], own);
	t.deepEqual(kernels, ['debian-6.1']);
	t.regex(notice!, /^4\.15\.18: unavailable: .*--source DIR\. Running on debian-6\.1 instead\.$/);
});

test('what is wrong with --source is said; no other kernel is tested in its place', async t => {
	await using source = await mkdtempDisposable(path.join(tmpdir(), 'choose-'));
	await t.throwsAsync(chooseKernels([], own, {source: source.path}), {
		instanceOf: UsageError,
		message: /is not a Linux source tree/,
	});
});

test('requested kernels are chosen once each, whether or not they are available', async t => {
	t.deepEqual(await chooseKernels(['4.15.18', 'debian-5.10', '4.15.18'], own), {kernels: ['4.15.18', 'debian-5.10']});
});

test("'all' means the kernels of the catalogue", async t => {
	const {kernels} = await chooseKernels(['all'], own);
	t.deepEqual(kernels, ['4.15.18', 'debian-5.10', 'debian-6.1', 'debian-6.12', 'debian-7.2']);
});

test('an unknown name is rejected before anything is fetched', async t => {
	await t.throwsAsync(chooseKernels(['debian-6.1', 'debain-6.1'], own), {
		instanceOf: UsageError,
		message: /debain-6\.1/,
	});
});

test('--source requires a kernel.org release', async t => {
	await t.throwsAsync(chooseKernels(['debian-6.1'], own, {source: '/src/linux'}), {
		instanceOf: UsageError,
		message: '--source builds kernel.org releases; debian-6.1 is not one.',
	});
});

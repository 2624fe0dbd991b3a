// SPDX-License-Identifier: GPL-2.0
import test from 'ava';
import {cacheDirectory} from '../host/cache.ts';
import {obtainKernel} from '../kernels/obtain.ts';
import {bprobeContent} from '../suites/bprobe/guest-content.ts';
import {readBareModule} from './bare-module.ts';
import {buildGuest} from './guest-build.ts';

test('bare modules of two commits are equal wherever they were built, and differ between kernels', async t => {
	t.timeout(10 * 60_000);
	const {modules} = await buildGuest(await obtainKernel('debian-6.1'), bprobeContent());
	for (const {file} of modules) {
		const module = await readBareModule(file);
		t.true(module.length > 10_000);
		t.false(module.includes(cacheDirectory('objects')), file);
		t.false(module.includes(cacheDirectory('trees')), file);
	}
});

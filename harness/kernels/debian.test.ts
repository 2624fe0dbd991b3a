// SPDX-License-Identifier: GPL-2.0
import {rm} from 'node:fs/promises';
import test from 'ava';
import {cacheKernel} from '../test/cached-kernel.ts';
import {freshCache} from '../test/fresh-cache.ts';
import {debianRow} from './catalogue.ts';
import {obtainDebianKernel} from './debian.ts';

// Nothing listens there.
process.env.PROBE_MATRIX_MIRROR = 'http://127.0.0.1:9';
process.env.PROBE_MATRIX_SECURITY_MIRROR = 'http://127.0.0.1:9';

test('a kernel in the cache needs no mirror, unless it is not whole or is to be fetched again', async t => {
	await using _ = await freshCache();
	const id = 'debian-6.1';
	const obtain = async (refresh = false) => obtainDebianKernel(id, debianRow(id)!, {refresh});
	const cached = await cacheKernel({id, release: '6.1.0-49', origin: 'Debian linux 6.1.192-1', flavour: 'cloud'});
	t.deepEqual(await obtain(), cached);
	await t.throwsAsync(obtain(true), {message: /127\.0\.0\.1/});
	await rm(cached.buildTree);
	await t.throwsAsync(obtain(), {message: /127\.0\.0\.1/});
});

// SPDX-License-Identifier: GPL-2.0
import {rm} from 'node:fs/promises';
import test from 'ava';
import {NotFoundError, UsageError} from '../host/errors.ts';
import {cacheKernel} from '../test/cached-kernel.ts';
import {captureStderr} from '../test/capture-stderr.ts';
import {freshCache} from '../test/fresh-cache.ts';
import {debianRow} from './catalogue.ts';
import {firstInArchive, obtainDebianKernel} from './debian.ts';

// Nothing listens there.
process.env.PROBE_MATRIX_MIRROR = 'http://127.0.0.1:9';
process.env.PROBE_MATRIX_SECURITY_MIRROR = 'http://127.0.0.1:9';

test.serial('a kernel in the cache needs no mirror, unless it is not whole or is to be fetched again', async t => {
	await using _ = await freshCache();
	const id = 'debian-6.1';
	const obtain = async (refresh = false) => obtainDebianKernel(id, debianRow(id)!, {refresh});
	const cached = await cacheKernel({id, release: '6.1.0-49', origin: 'Debian linux 6.1.192-1', flavour: 'cloud'});
	t.deepEqual(await obtain(), cached);
	await t.throwsAsync(obtain(true), {message: /127\.0\.0\.1/});
	await rm(cached.buildTree);
	await t.throwsAsync(obtain(), {message: /127\.0\.0\.1/});
});

test.serial(
	'a build that the mirror lacks is replaced by the next older one, down to the last; other faults are not',
	async t => {
		const tried: string[] = [];
		const fetchUnless = (missing: readonly string[], fault: (name: string) => Error) => async (name: string) => {
			tried.push(name);
			if (missing.includes(name)) throw fault(name);
			return `tree of ${name}`;
		};
		const notFound = (name: string) => new NotFoundError(`${name} does not exist.`);
		const said = await captureStderr(async () => {
			t.is(
				await firstInArchive(['6.1.3', '6.1.2', '6.1.1'], fetchUnless(['6.1.3', '6.1.2'], notFound)),
				'tree of 6.1.1',
			);
		});
		t.deepEqual(tried.splice(0), ['6.1.3', '6.1.2', '6.1.1']);
		t.regex(said, /6\.1\.3 does not exist\. Trying the next older build\.\n.*6\.1\.2 does not exist\. Trying/);
		await captureStderr(async () => {
			await t.throwsAsync(firstInArchive(['6.1.3', '6.1.2'], fetchUnless(['6.1.3', '6.1.2'], notFound)), {
				message: /^6\.1\.2/,
			});
		});
		tried.splice(0);
		const broken = (name: string) => new UsageError(`${name} is damaged.`);
		await t.throwsAsync(firstInArchive(['6.1.3', '6.1.2'], fetchUnless(['6.1.3'], broken)), {message: /damaged/});
		t.deepEqual(tried, ['6.1.3']);
	},
);

// SPDX-License-Identifier: GPL-2.0
import {tmpdir} from 'node:os';
import test from 'ava';
import {formatSize, requireSpace} from './disk-space.ts';
import {UsageError} from './errors.ts';

test('requireSpace rejects a disk without enough room', async t => {
	await t.notThrowsAsync(requireSpace(tmpdir(), 1, 'a test'));
	await t.throwsAsync(requireSpace(tmpdir(), 2 ** 60, 'a test'), {instanceOf: UsageError});
	// A file system of size zero.
	await t.throwsAsync(requireSpace('/proc', 300 * 2 ** 20, 'a test'), {
		instanceOf: UsageError,
		message:
			'The disk that holds /proc has 0 MiB free, but a test needs 300 MiB. Free some space, or set PROBE_MATRIX_CACHE to another disk.',
	});
});

test('formatSize chooses MiB or GiB', t => {
	t.deepEqual([0, 2 ** 30 - 1, 2 ** 30, 5 * 2 ** 39].map(formatSize), ['0 MiB', '1023 MiB', '1.0 GiB', '2560.0 GiB']);
});

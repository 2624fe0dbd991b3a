// SPDX-License-Identifier: GPL-2.0
import {tmpdir} from 'node:os';
import test from 'ava';
import {execa} from 'execa';
import {formatSize, freeBytesOf, requireSpace} from './disk-space.ts';
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

test('blocks that a file system reserves for itself are not free', async t => {
	// Others write to the disk, so ask before and after.
	const available = async () => {
		const {stdout} = await execa('stat', ['--file-system', '--format=%a %S', tmpdir()]);
		const [blocks, size] = stdout.split(' ').map(Number);
		return blocks! * size!;
	};
	for (let tries = 0; ; tries++) {
		const [before, free, after] = [await available(), await freeBytesOf(tmpdir()), await available()];
		if (before !== after && tries < 100) continue;
		t.is(free, before);
		return;
	}
});

test('formatSize chooses MiB or GiB', t => {
	t.deepEqual([0, 2 ** 30 - 1, 2 ** 30, 5 * 2 ** 39].map(formatSize), ['0 MiB', '1023 MiB', '1.0 GiB', '2560.0 GiB']);
});

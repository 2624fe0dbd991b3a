import {tmpdir} from 'node:os';
import test from 'ava';
import {formatSize, requireSpace} from './disk-space.ts';
import {UsageError} from './errors.ts';

test('a disk without room is told before anything is written to it', async t => {
	await t.notThrowsAsync(requireSpace(tmpdir(), 1, 'a test'));
	// Of no size at all.
	await t.throwsAsync(requireSpace('/proc', 300 * 2 ** 20, 'a test'), {
		instanceOf: UsageError,
		message:
			'The disk that holds /proc has 0 MiB free, but a test needs 300 MiB. Free some space, or set PROBE_MATRIX_CACHE to another disk.',
	});
});

test('sizes are in the unit that says enough', t => {
	t.deepEqual([0, 2 ** 30 - 1, 2 ** 30, 5 * 2 ** 39].map(formatSize), ['0 MiB', '1023 MiB', '1.0 GiB', '2560.0 GiB']);
});

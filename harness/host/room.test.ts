import {tmpdir} from 'node:os';
import test from 'ava';
import {UsageError} from './errors.ts';
import {formatSize, mustFit} from './room.ts';

test('a disk without room is told before anything is written to it', async t => {
	await t.notThrowsAsync(mustFit(tmpdir(), 1, 'a test'));
	// Of no size at all.
	await t.throwsAsync(mustFit('/proc', 300 * 2 ** 20, 'a test'), {
		instanceOf: UsageError,
		message:
			'The disk that holds /proc has 0 MiB left, and a test needs 300 MiB; make room, or set PROBE_MATRIX_CACHE to a place that has it.',
	});
});

test('sizes are in the unit that says enough', t => {
	t.deepEqual([0, 2 ** 30 - 1, 2 ** 30, 5 * 2 ** 39].map(formatSize), ['0 MiB', '1023 MiB', '1.0 GiB', '2560.0 GiB']);
});

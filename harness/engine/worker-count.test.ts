// SPDX-License-Identifier: GPL-2.0
import os from 'node:os';
import test from 'ava';
import {workerCount} from './worker-count.ts';

for (const [jobs, guestsMib, freeMib, workers, what] of [
	[4, [256], 100_000, 4, 'a host with memory to spare runs as many guests as asked for'],
	[4, [256], 1100, 2, 'a host with little memory runs fewer: each takes that of QEMU, too'],
	[4, [1024], 3000, 2, 'fewer large guests than small ones fit'],
	[4, [256, 1024, 256], 3000, 2, 'all guests that run at once may be large'],
	[4, [1024], 100, 1, 'one guest runs even if memory seems too small'],
] as const) {
	test(what, t => {
		t.is(workerCount(guestsMib, {jobs, freeMib}), workers);
	});
}

test('unless told otherwise, there is one guest for each core', t => {
	t.is(workerCount([256], {freeMib: 1_000_000}), os.availableParallelism());
});

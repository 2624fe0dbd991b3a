// SPDX-License-Identifier: GPL-2.0
import test from 'ava';
import {openConsoles} from '../../../engine/consoles.ts';
import {prepareKernel} from '../../../engine/prepare-kernels.ts';
import type {Guest} from '../../../guest/guest.ts';
import {guestPool} from '../../../guest/guest-pool.ts';
import {fallbackKernel} from '../../../kernels/default-kernels.ts';
import {bprobeSuite} from '../suite.ts';
import {faults} from './faults.ts';
import {runSelftest} from './run-selftest.ts';

/** The hangs that are detected soonest; `probe-matrix selftest` triggers the others. */
const hangs = new Set(['rcu-stall', 'hard-lockup', 'agent-killed', 'late-warn']);

const interrupt = new AbortController();
let bootGuest: () => Promise<Guest>;

test.before('prepare a kernel', async t => {
	t.timeout(20 * 60_000);
	const {signal} = interrupt;
	const guestBuild = await prepareKernel(fallbackKernel, {content: bprobeSuite.content, signal});
	const {consolePath} = await openConsoles();
	bootGuest = guestPool(guestBuild, {
		isolation: 'reuse',
		signal,
		consolePath: () => consolePath(`${fallbackKernel}-selftest`),
	});
});
test.after.always('end all guests', () => interrupt.abort());

for (const fault of faults.filter(({name, goalMs}) => goalMs <= 2000 || hangs.has(name))) {
	test.serial(fault.name, async t => {
		t.timeout(5 * 60_000);
		const results = await runSelftest({
			kernel: fallbackKernel,
			faults: [fault],
			bootGuest,
			signal: interrupt.signal,
			onResult: ({verdict, title}) => t.log(`${verdict}: ${title}`),
		});
		t.deepEqual(
			results.map(({wrong}) => wrong),
			[[]],
		);
	});
}

// SPDX-License-Identifier: GPL-2.0
/** Restores a kernel's loaded snapshot repeatedly: `restores.ts [count] [kernel]`. Exits with 1 if a restore fails. */
import {buildGuest} from '../harness/build/guest-build.ts';
import {obtainBootableKernel} from '../harness/guest/bootable-kernel.ts';
import {messageOf} from '../harness/host/errors.ts';
import {fallbackKernel} from '../harness/kernels/default-kernels.ts';
import {median} from '../harness/results/run/statistics.ts';
import {bprobeSuite} from '../harness/suites/bprobe/suite.ts';
import {Instance} from '../harness/vm/instance.ts';
import {obtainLoaded} from '../harness/vm/loaded-snapshot.ts';

const count = Number(process.argv[2] ?? 1000);
const kernel = process.argv[3] ?? fallbackKernel;

const loaded = await obtainLoaded(await buildGuest(await obtainBootableKernel(kernel), bprobeSuite.content));
const readyMs: number[] = [];
const goneMs: number[] = [];
const failures: string[] = [];
/** After each hundred restores; during the first hundred, code is compiled and caches are filled. */
const memoryMib: number[] = [];
for (let round = 1; round <= count; round++) {
	try {
		const guest = await Instance.restore(loaded);
		readyMs.push(guest.readyMs);
		await guest.agent.call('mark', {text: `restore ${round}`});
		const since = performance.now();
		await guest[Symbol.asyncDispose]();
		goneMs.push(performance.now() - since);
	} catch (error) {
		failures.push(`${round}: ${messageOf(error)}`);
	}
	if (round % 100 === 0) {
		memoryMib.push(rssMib());
		process.stderr.write(`${round} restores, ${failures.length} failures\n`);
	}
}
const times = (values: readonly number[]) =>
	`${Math.round(median(values))} ms (${Math.round(Math.min(...values))}–${Math.round(Math.max(...values))})`;
process.stdout.write(
	[
		`${kernel}: ${count} restores, ${failures.length} failures`,
		`until the agent answers   first hundred ${times(readyMs.slice(0, 100))}, last hundred ${times(readyMs.slice(-100))}`,
		`until it is gone again    first hundred ${times(goneMs.slice(0, 100))}, last hundred ${times(goneMs.slice(-100))}`,
		`memory of the harness     after each hundred ${memoryMib.join(' ')} MiB`,
		...failures,
		'',
	].join('\n'),
);
process.exitCode = failures.length > 0 ? 1 : 0;

function rssMib(): number {
	return Math.round(process.memoryUsage.rss() / 2 ** 20);
}

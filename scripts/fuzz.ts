// SPDX-License-Identifier: GPL-2.0
/**
 * Calls random ioctls until there were `count`. Exits with 1 if an answer was wrong, the kernel reported a problem, or
 * something was left behind.
 *
 *   npx node scripts/fuzz.ts [count] [kernel] [seed]
 */
import {buildGuest} from '../harness/build/guest-build.ts';
import {findKernelReports} from '../harness/crash/crash-detector.ts';
import {obtainBootableKernel} from '../harness/guest/bootable-kernel.ts';
import {builtInOptions} from '../harness/kernels/built-in.ts';
import {fallbackKernel} from '../harness/kernels/default-kernels.ts';
import {bprobeSuite} from '../harness/suites/bprobe/suite.ts';
import {Instance} from '../harness/vm/instance.ts';
import {loadSuite} from '../harness/vm/load-suite.ts';
import {stateOf} from './guest-state.ts';

const count = Number(process.argv[2] ?? 1e6);
const kernel = process.argv[3] ?? fallbackKernel;
let seed = Number(process.argv[4] ?? Date.now() % 1e6);
/** Credentials of the callers; most calls are privileged ones, which get further. */
const rights = ['root', 'root', 'root', 'noSysAdmin', 'userNamespace'] as const;
const callsAtOnce = 20_000;

const guestBuild = await buildGuest(await obtainBootableKernel(kernel), bprobeSuite.content);
const hasNamespaces = (await builtInOptions(guestBuild.kernel)).has('CONFIG_USER_NS');
await using guest = await Instance.boot(guestBuild);
await loadSuite(guest, guestBuild);
const {agent} = guest;
const {prog} = await agent.call('load', {program: 'count'});
const before = await stateOf(guest);
const sums = {calls: 0, attached: 0, killed: 0};
const errors: Record<string, number> = {};
const problems: string[] = [];
for (let round = 0; sums.calls < count && problems.length === 0; round++, seed++) {
	const as = rights[round % rights.length]!;
	if (as === 'userNamespace' && !hasNamespaces) continue;
	const found = await agent.call('fuzz', {prog, calls: callsAtOnce, processes: 4, seed, as});
	for (const key of ['calls', 'attached', 'killed'] as const) sums[key] += found[key];
	for (const [name, times] of Object.entries(found.errors)) errors[name] = (errors[name] ?? 0) + times;
	if (found.wrong) problems.push(`${as}: ${found.wrong}`);
	if (as !== 'root' && found.attached > 0) problems.push(`${as}: attached ${found.attached} times, seed ${seed}`);
	if (round % 10 === 9)
		process.stderr.write(`${sums.calls} ioctls, ${sums.attached} attached, ${sums.killed} killed\n`);
}
const after = await stateOf(guest);
if (after.text !== before.text) problems.push(`left behind: ${before.text} became ${after.text}`);
await guest.vm.console.refresh();
problems.push(...findKernelReports(guest.vm.console.text).map(({title}) => title));
process.stdout.write(
	[
		`${kernel}: ${sums.calls} ioctls, ${sums.attached} attached, ${sums.killed} of their processes killed, last seed ${seed - 1}`,
		`answers: ${Object.entries(errors)
			.map(([name, times]) => `${name} ${times}`)
			.join(', ')}`,
		`slab and per-CPU memory: ${before.kib} KiB before, ${after.kib} KiB after`,
		...problems,
		'',
	].join('\n'),
);
process.exitCode = problems.length > 0 ? 1 : 0;

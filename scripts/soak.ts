// SPDX-License-Identifier: GPL-2.0
/**
 * Attaches, closes, kills, reloads and calls at random for some minutes, and checks the registers of every call. A seed
 * gives the same steps again (scripts/soak-schedule.ts). Exits with 1 if a register was wrong, a step failed, the kernel
 * reported a problem, or something was left behind.
 *
 *   npm run soak -- [kernel] [--minutes M] [--seed S]
 */
import assert from 'node:assert/strict';
import {Command} from 'commander';
import {buildGuest} from '../harness/build/guest-build.ts';
import {wholeNumber} from '../harness/cli/option-values.ts';
import {findKernelReports} from '../harness/crash/crash-detector.ts';
import {obtainBootableKernel} from '../harness/guest/bootable-kernel.ts';
import {messageOf} from '../harness/host/errors.ts';
import {builtInOptions} from '../harness/kernels/built-in.ts';
import {fallbackKernel} from '../harness/kernels/default-kernels.ts';
import {bprobeSuite} from '../harness/suites/bprobe/suite.ts';
import {Instance} from '../harness/vm/instance.ts';
import {loadSuite} from '../harness/vm/load-suite.ts';
import {stateOf} from './guest-state.ts';
import {schedule} from './soak-schedule.ts';
import {Soak} from './soak-steps.ts';

/** Failed steps are shown with those before. */
const shownSteps = 20;
const progressMs = 30_000;

const program = new Command('soak')
	.description('Attaches, closes, kills, reloads and calls at random, and checks the registers of every call.')
	.argument('[kernel]', 'kernel to run', fallbackKernel)
	.option('--minutes <m>', 'time to run', wholeNumber(1), 5)
	.option('--seed <s>', 'steps to do again; by default others each time', wholeNumber(0), Date.now() % 1_000_000)
	.parse();
const {minutes, seed} = program.opts<{minutes: number; seed: number}>();
const [kernel] = program.processedArgs as [string];

const guestBuild = await buildGuest(await obtainBootableKernel(kernel), bprobeSuite.content);
await using guest = await Instance.boot(guestBuild, {memoryMib: 1024});
await loadSuite(guest, guestBuild);
// Where lists have the functions that an interrupt calls, one takes a millisecond, and with sanitizers ten times that.
// With as little time between two, nothing else would run.
const isSlow = (await builtInOptions(guestBuild.kernel)).has('CONFIG_KASAN');
const soak = await Soak.begin(guest.agent, {periodUs: isSlow ? 20_000 : 2000});
const before = await stateOf(guest);
const problems: string[] = [];
const last: string[] = [];
const until = performance.now() + minutes * 60_000;
let nextProgress = performance.now() + progressMs;
let steps = 0;

try {
	for (const step of schedule(seed)) {
		if (performance.now() > until) break;
		last.push(JSON.stringify(step));
		if (last.length > shownSteps) last.shift();
		await soak.take(step);
		steps++;
		if (performance.now() < nextProgress) continue;
		nextProgress = performance.now() + progressMs;
		process.stderr.write(`${steps} steps, ${soak.calls} calls, ${soak.attached} attached\n`);
		assert.deepEqual(await reports(), []);
	}
	await soak.endAll();
	const after = await stateOf(guest);
	process.stdout.write(`slab and per-CPU memory: ${before.kib} KiB before, ${after.kib} KiB after\n`);
	if (after.text !== before.text) problems.push(`left behind: ${before.text} became ${after.text}`);
} catch (error) {
	problems.push(messageOf(error), ...last, ...(await whereItIs()));
}
problems.push(...(await reports()));
process.stdout.write(
	[
		`${kernel}: seed ${seed}, ${steps} steps, ${soak.calls} calls, ${soak.attached} functions attached to by ${soak.probes} probes, ${soak.reloads} reloads`,
		`misses of probes whose calls are checked: ${JSON.stringify(soak.misses)}`,
		...problems.map(problem => `problem: ${problem}`),
		'',
	].join('\n'),
);
process.exitCode = problems.length > 0 ? 1 : 0;

/** What the agent's threads do now, and the last lines of the console. */
async function whereItIs(): Promise<readonly string[]> {
	const stacks = 'for each in /proc/$(pidof agent)/task/*; do cat $each/comm $each/wchan $each/stack; done';
	const told = await guest
		.link()
		.then(link => link.exec(stacks, {signal: AbortSignal.timeout(30_000)}))
		.catch(messageOf);
	await guest.vm.console.refresh();
	const lines = typeof told === 'string' ? told : told.stdout;
	return [...lines.split('\n'), ...guest.vm.console.text.split('\n').slice(-30)];
}

async function reports(): Promise<readonly string[]> {
	await guest.vm.console.refresh();
	return findKernelReports(guest.vm.console.text).map(({title}) => title);
}

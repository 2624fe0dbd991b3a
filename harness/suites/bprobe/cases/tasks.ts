// SPDX-License-Identifier: GPL-2.0
import {assert} from '../assert.ts';
import type {CaseContext} from '../case.ts';
import {input, output} from './calls.ts';
import {hex} from './registers.ts';

/** Waits until exactly `tasks` tasks are inside FX_WAIT, at most until the case's deadline. */
export async function waitUntilWaiting(context: CaseContext, tasks: number): Promise<void> {
	while ((await context.ask('counts', {})).waiting !== tasks) context.signal.throwIfAborted();
}

/** The number of calls whose return address is replaced now, from the module's listing. */
export async function framesInFlight(context: CaseContext): Promise<number> {
	const {text} = await context.ask('listing', {});
	const match = /^frames (\d+) of \d+$/m.exec(text);
	assert.ok(match, `the listing must have a line of frames: ${text}`);
	return Number(match[1]);
}

type Sleeper = {readonly task: number; readonly pid: number};

/** Calls the target in tasks, with their index as first argument, until all of them wait inside. */
export async function startSleepers(context: CaseContext, count: number): Promise<readonly Sleeper[]> {
	const target = context.target === 'vmlinux' ? 'c' : context.target;
	const tasks = [];
	for (let n = 0; n < count; n++)
		tasks.push(await context.ask('callInTask', {target, action: 'wait', in: {...input, di: hex(n)}, ret: output}));
	await waitUntilWaiting(context, count);
	return tasks;
}

export async function endSleepers(context: CaseContext, tasks: readonly Sleeper[]): Promise<void> {
	await context.ask('release', {});
	for (const {task} of tasks) {
		const {result} = await context.ask('taskWait', {task, timeoutMs: 10_000});
		assert.equal(result?.after.ax, output.ax, 'the return value of the call that was in flight');
	}
}

/** Keeps the threads of the agent on these CPUs, a mask. */
export async function allowCpus(context: CaseContext, cpus: number): Promise<void> {
	await context.exec(`taskset -ap ${cpus} $(pidof agent)`);
}

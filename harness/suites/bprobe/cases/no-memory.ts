// SPDX-License-Identifier: GPL-2.0
import type {AgentOps} from '../agent-protocol.ts';
import {assert} from '../assert.ts';
import {type CaseContext, defineCase} from '../case.ts';
import {targetSymbols} from '../context.ts';
import {tidily} from './tidily.ts';
import {leavesUnharmed} from './unharmed.ts';
import {vmallocAreas} from './vmalloc.ts';

type Attempt = AgentOps['failing']['in'];

/** Makes each allocation fail in turn. Counts the attempts that failed, and those that succeeded without it. */
async function failEach(context: CaseContext, attempt: Attempt): Promise<{failed: number; passed: number}> {
	const {ends} = await context.ask('failing', attempt);
	assert.equal(ends.at(-1), '', 'the last attempt, without a failing allocation, succeeds');
	const failed = ends.filter(end => end === 'ENOMEM').length;
	assert.deepEqual(
		ends.filter(end => end !== 'ENOMEM' && end !== ''),
		[],
		'errors other than ENOMEM',
	);
	const counts = {failed, passed: ends.length - 1 - failed};
	context.evidence('allocations', counts);
	return counts;
}

export const noMemoryCases = [
	defineCase({
		id: 'module/no-memory-to-attach',
		needs: ['device'],
		targets: ['asm', 'asm-fentry'],
		deadlineMs: 60_000,
		run: async context =>
			leavesUnharmed(context, async prog => {
				const address = await context.address(targetSymbols[context.target]);
				const {failed} = await failEach(context, {what: 'attach', prog, point: 'return', addresses: [address]});
				// For the probe, its counts, its entry in the list of its site, and the kernel's own for a descriptor.
				assert.ok(failed >= 4, `allocations that were made to fail: ${failed}, at least 4 are needed`);
			}),
	}),
	defineCase({
		id: 'module/no-memory-runs-no-program',
		needs: ['device'],
		deadlineMs: 60_000,
		run: async context =>
			leavesUnharmed(context, async prog => {
				// An attach calls it itself, and then may still have no memory.
				const address = await context.address('anon_inode_getfile');
				await failEach(context, {what: 'attach', prog, point: 'entry', addresses: [address]});
				assert.equal((await context.ask('counters', {cookie: 0})).count, 0, 'runs of a program during its own attach');
			}),
	}),
	defineCase({
		id: 'module/no-memory-to-attach-by-name',
		needs: ['device'],
		deadlineMs: 60_000,
		run: async context =>
			leavesUnharmed(context, async prog => {
				const symbols = ['fx_asm', 'fx_asm_fentry'];
				const {failed} = await failEach(context, {what: 'attach', prog, point: 'entry', symbols});
				// What attaching two addresses needs, and each of the names.
				assert.ok(failed >= 8, `allocations that were made to fail: ${failed}, at least 8 are needed`);
			}),
	}),
	defineCase({
		id: 'module/no-memory-to-attach-many',
		needs: ['device'],
		deadlineMs: 120_000,
		run: async context =>
			leavesUnharmed(context, async prog => {
				const names = Array.from({length: 40}, (_, n) => `fx_many_${String(n).padStart(3, '0')}`);
				const {addresses} = await context.ask('symbols', {names});
				const functions = [...names.map(name => addresses[name]![0]!), await context.address('fx_asm')];
				const {failed} = await failEach(context, {what: 'attach', prog, point: 'return', addresses: functions});
				// For each function, its entry in the list of its site, and the data that all share.
				assert.ok(
					failed >= functions.length + 4,
					`allocations that were made to fail: ${failed}, at least ${functions.length + 4} are needed`,
				);
			}),
	}),
	defineCase({
		id: 'module/no-memory-to-load',
		needs: ['device'],
		deadlineMs: 60_000,
		async run(context) {
			await unloaded(context, async () => {
				const {failed, passed} = await failEach(context, {what: 'insmod'});
				// For frames, the list of free frames, and tasks; the code that runs programs needs some on kernels that hide
				// the counter of programs.
				assert.ok(failed >= 3, `allocations that were made to fail: ${failed}, at least 3 are needed`);
				assert.equal(passed, 0, 'loads that succeeded without an allocation');
			});
		},
	}),
	defineCase({
		id: 'module/no-memory-for-what-a-load-calls',
		needs: ['device'],
		deadlineMs: 120_000,
		async run(context) {
			await unloaded(context, async () => {
				const {failed} = await failEach(context, {what: 'insmod and what it calls'});
				// Those of bprobe, two filters of ftrace, and a device with its directory and its links.
				assert.ok(failed >= 15, `allocations that were made to fail: ${failed}, at least 15 are needed`);
			});
		},
	}),
];

/** Runs `loads` while bprobe is not loaded; afterwards it has to work. */
async function unloaded(context: CaseContext, loads: () => Promise<void>): Promise<void> {
	await leavesUnharmed(context, async () => {
		await context.ask('rmmod', {module: 'bprobe'});
		await tidily(
			async () => {
				const before = await vmallocAreas(context);
				await loads();
				assert.deepEqual(await vmallocAreas(context), before, 'areas of vmalloc after the loads');
			},
			async () => {
				await context.ask('insmod', {module: 'bprobe'});
			},
		);
	});
}

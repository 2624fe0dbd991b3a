// SPDX-License-Identifier: GPL-2.0
import {assert} from '../assert.ts';
import {type CaseContext, defineCase} from '../case.ts';
import {targetSymbols} from '../context.ts';
import {leavesUnharmed} from './unharmed.ts';

type Disturbance = {
	readonly id: string;
	readonly by: 'descriptors' | 'signals' | 'kill';
	/** Given how the attaches ended, and how many signals came. */
	readonly judge: (context: CaseContext, ends: readonly string[], signals: number) => void;
};

const disturbances: readonly Disturbance[] = [
	{
		id: 'no-descriptor-to-attach',
		by: 'descriptors',
		judge: (_, ends) => assert.deepEqual(ends, ['EMFILE', ''], 'an attach without a free descriptor, and the next one'),
	},
	{
		id: 'signals-during-attach',
		by: 'signals',
		judge(context, ends, signals) {
			assert.deepEqual(
				ends.filter(end => end !== ''),
				[],
				'errors of attaches among signals',
			);
			if (signals < ends.length) context.inconclusive(`Only ${signals} signals came in ${ends.length} attaches.`);
		},
	},
	{
		id: 'killed-during-attach',
		by: 'kill',
		judge(context, ends) {
			const killed = ends.filter(end => end === 'SIGKILL').length;
			context.evidence('killed', killed);
			assert.deepEqual(
				ends.filter(end => end !== '' && end !== 'SIGKILL'),
				[],
				'errors of attaches that were not killed',
			);
			if (killed < 2) context.inconclusive(`Only ${killed} of ${ends.length} attaches were killed; 2 are needed.`);
		},
	},
];

/** A file whose last reference is dropped where no task returns to user space: unix(7) and io_uring do that. */
const closedElsewhere = defineCase({
	id: 'module/closed-by-a-kernel-thread',
	needs: ['device'],
	targets: ['asm', 'asm-fentry'],
	deadlineMs: 30_000,
	run: async context =>
		leavesUnharmed(context, async prog => {
			const symbol = targetSymbols[context.target];
			const {probe} = await context.ask('attach', {prog, point: 'return', symbol, cookie: 9});
			await context.ask('keep', {probe});
			await context.ask('close', {probe});
			await context.call();
			const runs = async () => (await context.ask('counters', {cookie: 9})).count;
			assert.equal(await runs(), 1, 'runs while somebody else has the file');
			await context.ask('release', {});
			while (/^return /m.test((await context.ask('listing', {})).text)) context.signal.throwIfAborted();
			await context.call();
			assert.equal(await runs(), 1, 'runs after the last close');
		}),
});

/** Attaches that something comes in between, and closes elsewhere; memory that runs out is in no-memory.ts. */
export const disturbedCases = [
	closedElsewhere,
	...disturbances.map(({id, by, judge}) =>
		defineCase({
			id: `module/${id}`,
			needs: ['device'],
			targets: ['asm', 'asm-fentry'],
			deadlineMs: 60_000,
			run: async context =>
				leavesUnharmed(context, async prog => {
					const symbols = [targetSymbols[context.target]];
					const request = {by, what: 'attach', prog, point: 'return', symbols} as const;
					const {ends, signals} = await context.ask('disturbed', request);
					context.evidence('disturbed', {attaches: ends.length, signals});
					judge(context, ends, signals);
				}),
		}),
	),
];

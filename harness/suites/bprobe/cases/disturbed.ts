// SPDX-License-Identifier: GPL-2.0
import {assert} from '../assert.ts';
import {defineCase} from '../case.ts';
import {isUnharmed, referencesOf} from './unharmed.ts';

/** Attaches that something comes in between; memory that runs out is in no-memory.ts. */
export const disturbedCases = [
	defineCase({
		id: 'module/no-descriptor-to-attach',
		needs: ['device'],
		targets: ['asm', 'asm-fentry'],
		deadlineMs: 10_000,
		async run(context) {
			const prog = await context.load('count');
			const references = await referencesOf(context);
			const symbols = [context.target === 'asm' ? 'fx_asm' : 'fx_asm_fentry'];
			const request = {what: 'attach', prog, point: 'return', symbols} as const;
			const {ends} = await context.ask('disturbed', {by: 'descriptors', ...request});
			assert.deepEqual(ends, ['EMFILE', ''], 'an attach without a free descriptor, and the next one');
			await isUnharmed(context, prog, references);
		},
	}),
	defineCase({
		id: 'module/signals-during-attach',
		needs: ['device'],
		targets: ['asm', 'asm-fentry'],
		deadlineMs: 60_000,
		async run(context) {
			const prog = await context.load('count');
			const references = await referencesOf(context);
			const symbols = [context.target === 'asm' ? 'fx_asm' : 'fx_asm_fentry'];
			const request = {what: 'attach', prog, point: 'return', symbols} as const;
			const {ends, signals} = await context.ask('disturbed', {by: 'signals', ...request});
			context.evidence('disturbed', {attaches: ends.length, signals});
			assert.deepEqual(
				ends.filter(end => end !== ''),
				[],
				'errors of attaches among signals',
			);
			if (signals < ends.length) context.inconclusive(`Only ${signals} signals came in ${ends.length} attaches.`);
			await isUnharmed(context, prog, references);
		},
	}),
	defineCase({
		id: 'module/killed-during-attach',
		needs: ['device'],
		targets: ['asm', 'asm-fentry'],
		deadlineMs: 60_000,
		async run(context) {
			const prog = await context.load('count');
			const references = await referencesOf(context);
			const symbols = [context.target === 'asm' ? 'fx_asm' : 'fx_asm_fentry'];
			const request = {what: 'attach', prog, point: 'return', symbols} as const;
			const {ends} = await context.ask('disturbed', {by: 'kill', ...request});
			const killed = ends.filter(end => end === 'SIGKILL').length;
			context.evidence('disturbed', {attaches: ends.length, killed});
			assert.deepEqual(
				ends.filter(end => end !== '' && end !== 'SIGKILL'),
				[],
				'errors of attaches that were not killed',
			);
			if (killed < 2) context.inconclusive(`Only ${killed} of ${ends.length} attaches were killed; 2 are needed.`);
			await isUnharmed(context, prog, references);
		},
	}),
];

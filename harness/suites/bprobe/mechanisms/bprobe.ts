// SPDX-License-Identifier: GPL-2.0
import {type Feature, features} from '../case.ts';
import type {ProbeMechanism} from './mechanism.ts';

const notClaimed: readonly Feature[] = ['session', 'maxactive'];

/**
 * The bprobe module: a probe is a file descriptor that the agent holds. It claims everything but what belongs to the
 * interfaces of others. The probes of a case share their programs anyway.
 */
export const bprobe: ProbeMechanism = {
	id: 'bprobe',
	features: new Set(features.filter(feature => !notClaimed.includes(feature))),
	churned: async ({program, load}) => ({prog: await load(program)}),
	async attach(ask, {program, point, address, cookie, load}) {
		const prog = typeof program === 'number' ? program : await load(program);
		const {probe} = await ask('attach', {prog, point, address, cookie});
		return {
			handle: probe,
			info: () => ask('info', {probe}),
			detach: async () => (await ask('close', {probe})).closedNs,
		};
	},
};

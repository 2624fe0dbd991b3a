// SPDX-License-Identifier: GPL-2.0
import {features} from '../case.ts';
import type {ProbeMechanism} from './mechanism.ts';

/** The bprobe module: a probe is a file descriptor that the agent holds. It claims everything. */
export const bprobe: ProbeMechanism = {
	id: 'bprobe',
	features: new Set(features),
	async attach(ask, {program, load, ...request}) {
		const prog = typeof program === 'number' ? program : await load(program);
		const {probe} = await ask('attach', {...request, prog});
		return {
			handle: probe,
			info: () => ask('info', {probe}),
			detach: async () => (await ask('close', {probe})).closedNs,
		};
	},
};

// SPDX-License-Identifier: GPL-2.0
import type {ProbeMechanism} from './mechanism.ts';

/** Plain ftrace, by an ftrace_ops of the fixtures that keeps the registers: the floor of cost. It runs no program. */
export const ftrace: ProbeMechanism = {
	id: 'ftrace',
	features: new Set([
		'entry',
		'arguments',
		'stack-arguments',
		'registers',
		'flags',
		'place',
		'without-btf',
		'modules',
		'eight-arguments',
	]),
	async attach(ask, {program, address, cookie}) {
		await ask('trace', {address, cookie, keeps: program === 'record'});
		return {
			handle: cookie,
			info: async () => ({hits: (await ask('traced', {cookie})).hits, misses: {}}),
			detach: async () => (await ask('untrace', {cookie})).closedNs,
		};
	},
};

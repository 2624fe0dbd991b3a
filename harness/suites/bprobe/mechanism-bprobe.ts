import type {Mechanism} from '../../engine/mechanism.ts';

/** The bprobe module: a probe is a file descriptor that the agent holds. */
export const bprobe: Mechanism = {
	id: 'bprobe',
	features: new Set(['entry', 'return', 'entry-args', 'device', 'library']),
	async attach(ask, request) {
		return (await ask('attach', request)).probe;
	},
	async info(ask, probe) {
		return ask('info', {probe});
	},
	async detach(ask, probe) {
		return (await ask('close', {probe})).closedNs;
	},
};

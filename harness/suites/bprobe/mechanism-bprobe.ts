// SPDX-License-Identifier: GPL-2.0
import type {Mechanism} from '../../engine/suite.ts';
import type {Guest} from '../../guest/guest.ts';
import type {Hex} from '../../link/agent-protocol.ts';
import type {Point, ProbeInfo} from './agent-protocol.ts';
import type {Feature} from './case.ts';

/** A way to probe functions: its features, and how to attach, read and detach a probe. */
export type ProbeMechanism = Mechanism & {
	readonly features: ReadonlySet<Feature>;
	attach(
		ask: Guest['ask'],
		request: {readonly prog: number; readonly point: Point; readonly address: Hex; readonly cookie: number},
	): Promise<number>;
	info(ask: Guest['ask'], probe: number): Promise<ProbeInfo>;
	/** Resolves with CLOCK_MONOTONIC after the probe was detached. */
	detach(ask: Guest['ask'], probe: number): Promise<Hex>;
};

/** The bprobe module: a probe is a file descriptor that the agent holds. */
export const bprobe: ProbeMechanism = {
	id: 'bprobe',
	features: new Set<Feature>(['entry', 'return', 'entry-args', 'device', 'library']),
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

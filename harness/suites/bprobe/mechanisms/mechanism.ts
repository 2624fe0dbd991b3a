// SPDX-License-Identifier: GPL-2.0
import type {Mechanism} from '../../../engine/suite.ts';
import type {Guest} from '../../../guest/guest.ts';
import type {Hex} from '../../../link/agent-protocol.ts';
import type {Churned, Point, ProbeInfo, ProgramName} from '../agent-protocol.ts';
import type {Feature} from '../case.ts';

export type AttachRequest = {
	/** By name, or a handle from `load`. */
	readonly program: ProgramName | number;
	readonly point: Point;
	readonly address: Hex;
	readonly cookie: number;
	/** With the program of the probe that has this handle. */
	readonly sharing?: number;
	readonly maxactive?: number;
	/** Loads a program of bprobe; once per case. */
	load(program: ProgramName): Promise<number>;
	/** Whether the guest's kernel has a feature of the mechanism. */
	has(feature: Feature): boolean;
};

export type Attached = {
	/** Unique among those of its mechanism. */
	readonly handle: number;
	/** Hits, and misses by reason as far as the mechanism counts them. */
	info(): Promise<ProbeInfo>;
	/** Resolves with CLOCK_MONOTONIC after the probe was detached. */
	detach(): Promise<Hex>;
};

/** A way to probe functions: its features, and how to attach. */
export type ProbeMechanism = Mechanism & {
	readonly features: ReadonlySet<Feature>;
	attach(ask: Guest['ask'], request: AttachRequest): Promise<Attached>;
	/** What the job takes that attaches and closes over and over. */
	churned?(request: Pick<AttachRequest, 'load' | 'has'> & {readonly program: ProgramName}): Promise<Churned>;
};

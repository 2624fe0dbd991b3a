import type {Ask} from '../guest/guest.ts';
import type {Hex, Point, ProbeInfo} from '../link/agent-protocol.ts';
import type {Feature} from './case.ts';

/** A way to probe functions: its features, and how to attach, read and detach a probe. */
export type Mechanism = {
	readonly id: string;
	readonly features: ReadonlySet<Feature>;
	attach(
		ask: Ask,
		request: {readonly prog: number; readonly point: Point; readonly address: Hex; readonly cookie: number},
	): Promise<number>;
	info(ask: Ask, probe: number): Promise<ProbeInfo>;
	/** Resolves with CLOCK_MONOTONIC after the probe was detached. */
	detach(ask: Ask, probe: number): Promise<Hex>;
};

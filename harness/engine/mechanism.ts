import type {Ask} from '../guest/guest.ts';
import type {Hex, Point, ProbeInfo} from '../link/agent-protocol.ts';
import type {Feature} from './case.ts';

/** A way to probe functions: how it attaches, reads and detaches, and what it can do. */
export type Mechanism = {
	readonly id: string;
	readonly features: ReadonlySet<Feature>;
	attach(
		ask: Ask,
		request: {readonly prog: number; readonly point: Point; readonly address: Hex; readonly cookie: number},
	): Promise<number>;
	info(ask: Ask, probe: number): Promise<ProbeInfo>;
	/** CLOCK_MONOTONIC when the probe was gone. */
	detach(ask: Ask, probe: number): Promise<Hex>;
};

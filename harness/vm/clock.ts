// SPDX-License-Identifier: GPL-2.0
import {setTimeout as sleep} from 'node:timers/promises';
import {BootError} from '../host/errors.ts';
import type {Agent} from '../link/agent.ts';

/** One moment on both clocks, in ms. */
export type Moment = {readonly hostMs: number; readonly guestMs: number};

/** Tests have one of their own. */
export type HostClock = {now(): number; wait(ms: number): Promise<unknown>};

const hostClock: HostClock = {now: () => performance.now(), wait: ms => sleep(ms)};

/**
 * Whether the guest's clock runs at the right rate. A kernel that calibrates its clock on a busy host can be wrong by a
 * factor of ten or more; its timeouts and stall detectors then fire at random.
 */
export async function isClockRight(agent: Pick<Agent, 'call'>, host: HostClock = hostClock): Promise<boolean> {
	const first = await readClocks(agent, host);
	for (const waitMs of [50, 1000]) {
		await host.wait(waitMs);
		if (isRateRight(first, await readClocks(agent, host))) return true;
	}
	return false;
}

const bootsAtMost = 5;

/** The first result of `boot` that is defined; undefined means a wrong clock. Throws BootError after five boots. */
export async function bootUntilClockIsRight<T>(boot: (attempt: number) => Promise<T | undefined>): Promise<T> {
	for (let attempt = 1; attempt <= bootsAtMost; attempt++) {
		const result = await boot(attempt);
		if (result !== undefined) return result;
	}
	throw new BootError(`The guest's clock ran too fast or too slow in ${bootsAtMost} boots; the host is too busy.`);
}

/** Reads both clocks, to within half of the round trip to the agent. Throws LinkLostError. */
export async function readClocks(
	agent: Pick<Agent, 'call'>,
	{now}: Pick<HostClock, 'now'> = hostClock,
): Promise<Moment> {
	const before = now();
	const {nowNs} = await agent.call('clock', {});
	return {hostMs: (before + now()) / 2, guestMs: Number(BigInt(nowNs) / 1000n) / 1000};
}

/** Compares the rates of both clocks. The round trip blurs a short interval, but not a long one. */
export function isRateRight(first: Moment, last: Moment): boolean {
	const rate = (last.guestMs - first.guestMs) / (last.hostMs - first.hostMs);
	return rate > 0.7 && rate < 1.5;
}

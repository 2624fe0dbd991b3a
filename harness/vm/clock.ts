import {setTimeout as sleep} from 'node:timers/promises';
import {BootError} from '../host/errors.ts';
import type {Agent} from '../link/agent.ts';

/** One moment by both clocks. */
export type Moment = {readonly hostMs: number; readonly guestMs: number};

/**
 * A kernel that measures its clock while the host is busy may be wrong by a factor of ten or more: its timeouts and
 * stall detectors then strike at random.
 */
export async function isClockRight(agent: Agent): Promise<boolean> {
	const first = await readClocks(agent);
	for (const waitMs of [50, 1000]) {
		await sleep(waitMs);
		if (isRateRight(first, await readClocks(agent))) return true;
	}
	return false;
}

const bootsAtMost = 5;

/** What the first boot gives that gives something: nothing is for a guest whose clock is wrong. Throws BootError. */
export async function bootUntilClockIsRight<T>(boot: (attempt: number) => Promise<T | undefined>): Promise<T> {
	for (let attempt = 1; attempt <= bootsAtMost; attempt++) {
		const result = await boot(attempt);
		if (result !== undefined) return result;
	}
	throw new BootError(`The guest's clock ran too fast or too slow in ${bootsAtMost} boots; the host is too busy.`);
}

/** Both clocks at once, as well as the way to the agent and back lets one say. Throws LinkLostError. */
export async function readClocks(agent: Agent): Promise<Moment> {
	const before = performance.now();
	const {nowNs} = await agent.call('clock', {});
	return {hostMs: (before + performance.now()) / 2, guestMs: Number(BigInt(nowNs) / 1000n) / 1000};
}

/** A short look may be blurred by the way there and back; a long one is not. */
export function isRateRight(first: Moment, last: Moment): boolean {
	const rate = (last.guestMs - first.guestMs) / (last.hostMs - first.hostMs);
	return rate > 0.7 && rate < 1.5;
}

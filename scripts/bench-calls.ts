// SPDX-License-Identifier: GPL-2.0
import {setTimeout as sleep} from 'node:timers/promises';
import type {Hex, TargetName} from '../harness/suites/bprobe/agent-protocol.ts';
import type {Instance} from '../harness/vm/instance.ts';

/** The guest's time of one of `calls` calls in a loop, in ns: its instructions, in a guest that counts them. */
export async function nsPerCall(
	agent: Instance['agent'],
	loop: {readonly target: TargetName; readonly address?: Hex},
	calls = 20_000,
): Promise<number> {
	const ended = async () => (await agent.call('counts', {})).ended[loop.target];
	const until = (await ended()) + calls;
	const {job} = await agent.call('startLoop', {...loop, context: 'task', seed: '0x1', calls});
	// Each request costs the guest instructions, so poll rarely.
	while ((await ended()) < until) await sleep(500);
	const {loop: report} = await agent.call('stopJob', {job});
	return Number(BigInt(report!.lastNs) - BigInt(report!.firstNs)) / (report!.done - 1);
}

// SPDX-License-Identifier: GPL-2.0
import test from 'ava';
import {BootError} from '../host/errors.ts';
import type {Agent} from '../link/agent.ts';
import {bootUntilClockIsRight, isClockRight, isRateRight, type Moment} from './clock.ts';

test('a guest with a wrong clock is booted again', async t => {
	t.is(await bootUntilClockIsRight(async attempt => (attempt < 3 ? undefined : `boot ${attempt}`)), 'boot 3');
});

test('after five boots with a wrong clock, the host is reported as too busy', async t => {
	const attempts: number[] = [];
	const boots = bootUntilClockIsRight(async attempt => void attempts.push(attempt));
	await t.throwsAsync(boots, {instanceOf: BootError, message: /clock ran too fast or too slow in 5 boots/});
	t.deepEqual(attempts, [1, 2, 3, 4, 5]);
});

for (const [rate, isRight] of [
	[0.1, false],
	[0.65, false],
	[0.75, true],
	[1, true],
	[1.4, true],
	[1.6, false],
	[10, false],
] as const) {
	test(`a clock that runs ${rate} times as fast as the host's is ${isRight ? 'right' : 'wrong'}`, t => {
		const [first, last] = [1000, 2000].map(hostMs => ({hostMs, guestMs: 5000 + rate * hostMs})) as [Moment, Moment];
		t.is(isRateRight(first, last), isRight);
	});
}

/** A guest whose clock runs `rate` times as fast as a host's that stands still but for waits and answers. */
function openClocks(rate: number, answersTakeMs: readonly number[]) {
	let hostMs = 1000;
	const takes = [...answersTakeMs];
	const waits: number[] = [];
	const host = {
		now: () => hostMs,
		async wait(ms: number) {
			waits.push(ms);
			hostMs += ms;
		},
	};
	const agent = {
		async call() {
			// The guest reads its clock at once, and its answer may be late.
			const nowNs = `0x${BigInt(Math.round(hostMs * rate * 1e6)).toString(16)}`;
			hostMs += takes.shift() ?? 0;
			return {nowNs};
		},
	} as unknown as Agent;
	return {agent, host, waits};
}

test('a right clock is known after a moment', async t => {
	const {agent, host, waits} = openClocks(1, []);
	t.true(await isClockRight(agent, host));
	t.deepEqual(waits, [50]);
});

test('a right clock is known in the end, although a late answer hides it at first', async t => {
	const {agent, host, waits} = openClocks(1, [0, 200]);
	t.true(await isClockRight(agent, host));
	t.deepEqual(waits, [50, 1000]);
});

for (const rate of [0.3, 3]) {
	test(`a clock that runs ${rate} times as fast is wrong, however long it is looked at`, async t => {
		const {agent, host, waits} = openClocks(rate, []);
		t.false(await isClockRight(agent, host));
		t.deepEqual(waits, [50, 1000]);
	});
}

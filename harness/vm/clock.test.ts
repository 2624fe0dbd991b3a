// SPDX-License-Identifier: GPL-2.0
import test from 'ava';
import {BootError} from '../host/errors.ts';
import {bootUntilClockIsRight} from './clock.ts';

test('a guest with a wrong clock is booted again', async t => {
	t.is(await bootUntilClockIsRight(async attempt => (attempt < 3 ? undefined : `boot ${attempt}`)), 'boot 3');
});

test('after five boots with a wrong clock, the host is reported as too busy', async t => {
	const attempts: number[] = [];
	const boots = bootUntilClockIsRight(async attempt => void attempts.push(attempt));
	await t.throwsAsync(boots, {instanceOf: BootError, message: /clock ran too fast or too slow in 5 boots/});
	t.deepEqual(attempts, [1, 2, 3, 4, 5]);
});

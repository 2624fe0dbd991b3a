import test from 'ava';
import {BootError} from '../host/errors.ts';
import {bootUntilClockIsRight} from './clock.ts';

test('a guest whose clock is wrong is booted again', async t => {
	t.is(await bootUntilClockIsRight(async attempt => (attempt < 3 ? undefined : `boot ${attempt}`)), 'boot 3');
});

test('a host on which no clock comes out right is told so after five boots', async t => {
	const attempts: number[] = [];
	const boots = bootUntilClockIsRight(async attempt => void attempts.push(attempt));
	await t.throwsAsync(boots, {instanceOf: BootError, message: /^In 5 boots the clock/});
	t.deepEqual(attempts, [1, 2, 3, 4, 5]);
});

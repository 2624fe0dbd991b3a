// SPDX-License-Identifier: GPL-2.0
import test from 'ava';
import {guestSettings} from './guest-settings.ts';

const secondsOf = (slowness: number, end: string) =>
	Number(guestSettings(slowness).find(([file]) => file.endsWith(end))?.[1]);

test("in a slow guest the kernel's detectors wait longer", t => {
	t.true(secondsOf(4, 'stall_timeout') > secondsOf(1, 'stall_timeout'));
	t.true(secondsOf(4, 'watchdog_thresh') > secondsOf(1, 'watchdog_thresh'));
});

test('a very slow guest gets no threshold that its kernel rejects', t => {
	t.is(secondsOf(1000, 'watchdog_thresh'), 60);
});

// SPDX-License-Identifier: GPL-2.0
import test from 'ava';
import {describeEnd} from './guest-end.ts';

const ended = {code: 0, signal: undefined, stderr: ''};

for (const [what, end, traces, verdict, words] of [
	['switches itself off', ended, {shutdownReason: 'guest-shutdown', log: ''}, 'crash', /powered off/],
	['resets itself', ended, {shutdownReason: 'guest-reset', log: 'CPU Reset (CPU 0)'}, 'crash', /reset itself/],
	[
		'triple-faults',
		ended,
		{shutdownReason: 'guest-reset', log: 'CPU Reset (CPU 0)\nTriple fault\n'},
		'crash',
		/triple fault/,
	],
	['has its QEMU killed', {...ended, code: undefined, signal: 'SIGKILL'}, {log: ''}, 'infra', /killed by SIGKILL/],
	['has its QEMU terminated', ended, {shutdownReason: 'host-signal', log: ''}, 'infra', /terminated by a signal/],
	[
		'has a QEMU that fails',
		{code: 1, signal: undefined, stderr: 'no memory'},
		{log: ''},
		'infra',
		/exited with 1.*no memory/,
	],
	['has a QEMU that exits', ended, {log: ''}, 'infra', /exited with 0/],
] as const) {
	test(`the end of a guest that ${what} is ${verdict}`, t => {
		const told = describeEnd(end, traces);
		t.is(told.verdict, verdict);
		t.regex(told.message, words);
	});
}

// SPDX-License-Identifier: GPL-2.0
import fs from 'node:fs/promises';
import {syncBuiltinESMExports} from 'node:module';
import test from 'ava';
import {describeEnd, endOf} from './guest-end.ts';

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
	[
		'has a QEMU that warns before it fails',
		{code: 1, signal: undefined, stderr: 'qemu: warning: it is slow\nqemu: no memory'},
		{log: ''},
		'infra',
		/^QEMU exited with 1: qemu: no memory\nqemu: warning: it is slow$/,
	],
	[
		'finds no room for its memory',
		{...ended, code: undefined, signal: 'SIGBUS'},
		{log: '', fullFile: '/small/memory'},
		'infra',
		/^There is no space left on the disk that holds \/small\/memory\. QEMU was killed by SIGBUS\.$/,
	],
	[
		'meets a bus error',
		{...ended, code: undefined, signal: 'SIGBUS'},
		{log: ''},
		'infra',
		/^QEMU was killed by SIGBUS\.$/,
	],
	['has a QEMU that exits', ended, {log: ''}, 'infra', /exited with 0/],
] as const) {
	test(`the end of a guest that ${what} is ${verdict}`, t => {
		const told = describeEnd(end, traces);
		t.is(told.verdict, verdict);
		t.regex(told.message, words);
		// It ends the run: the kernel is not to blame.
		t.is(told.isDiskFull, 'fullFile' in traces ? true : undefined);
	});
}

const full = /^There is no space left on the disk that holds \/small\/memory\. QEMU was killed by SIGBUS\.$/;
const broken = /^QEMU was killed by SIGBUS\.$/;

for (const [what, free, use, words] of [
	['on which nothing is free is full', 0, 'written', full],
	['of which the file system keeps the last blocks for itself is full', 200 * 2 ** 10, 'written', full],
	['with room is not to blame', 64 * 2 ** 20, 'written', broken],
	['that is gone is not to blame', undefined, 'written', broken],
	['of which a guest only reads is not to blame', 0, 'copied', broken],
] as const)
	test.serial(`where QEMU meets a bus error, a disk ${what}`, async t => {
		const {statfs} = fs;
		const fake = async (directory: string) => {
			if (directory !== '/small' || free === undefined) throw new Error(`no ${directory}`);
			return {bavail: free / 512, bsize: 512};
		};
		const replaceStatfs = (by: unknown) => {
			Object.assign(fs, {statfs: by});
			syncBuiltinESMExports();
		};
		replaceStatfs(fake);
		t.teardown(() => replaceStatfs(statfs));
		const end = Promise.resolve({code: undefined, signal: 'SIGBUS', stderr: ''} as const);
		const told = await endOf({ended: end}, {memory: {file: '/small/memory', use}, resetLog: '/nowhere/log'});
		t.is(told.verdict, 'infra');
		t.regex(told.message, words);
		t.is(told.isDiskFull, words === full ? true : undefined);
	});

// SPDX-License-Identifier: GPL-2.0
import test from 'ava';
import {captureStderr} from '../test/capture-stderr.ts';
import {say, showStatus, writeAbove} from './say.ts';

test('messages are written above the status line, which stays at the bottom', async t => {
	const text = await captureStderr(() => {
		say('one');
		showStatus('1 of 9');
		writeAbove('two\n');
		showStatus('2 of 9');
		showStatus(undefined);
		say('three');
	});
	const clear = '\r\u001b[2K';
	t.is(text, `probe-matrix: one\n1 of 9${clear}two\n1 of 9${clear}2 of 9${clear}probe-matrix: three\n`);
});

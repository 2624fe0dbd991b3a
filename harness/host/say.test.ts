// SPDX-License-Identifier: GPL-2.0
import test from 'ava';
import {say, showStatus, writeAbove} from './say.ts';

test('messages are written above the status line, which stays at the bottom', t => {
	const {write} = process.stderr;
	let text = '';
	process.stderr.write = (chunk: string | Uint8Array) => {
		text += String(chunk);
		return true;
	};
	try {
		say('one');
		showStatus('1 of 9');
		writeAbove('two\n');
		showStatus('2 of 9');
		showStatus(undefined);
		say('three');
	} finally {
		process.stderr.write = write;
	}
	const clear = '\r\u001b[2K';
	t.is(text, `probe-matrix: one\n1 of 9${clear}two\n1 of 9${clear}2 of 9${clear}probe-matrix: three\n`);
});

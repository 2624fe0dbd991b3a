// SPDX-License-Identifier: GPL-2.0
import test from 'ava';
import {normalizeMessage} from './normalize-message.ts';

test('words and small numbers are kept', t => {
	t.is(normalizeMessage('added 2 of 20183 after 1.35 s at 0xdeadbeef\n'), 'added 2 of … after … s at …');
	t.is(normalizeMessage('99 of 100 at 0xffff, 0x12345 or feed1, not face'), '99 of … at 0xffff, … or …, not face');
});

test('with hidesSmallNumbers, small numbers are hidden, too', t => {
	const hide = (text: string) => normalizeMessage(text, {hidesSmallNumbers: true});
	t.is(hide('at ffffffff81234567, cpu 1,  after 2.5 s'), 'at …, cpu …, after … s');
	t.is(hide('do_mkdirat+0x12 feedbeef added'), 'do_mkdirat+… feedbeef added');
});

// SPDX-License-Identifier: GPL-2.0
import test from 'ava';
import {hostile} from '../../test/sample-run.ts';
import {visible, visibleLine} from './escape-control.ts';

test('control and invisible characters are shown as symbols; newlines and tabs stay', t => {
	t.is(visible('a\u001B[2J\tb\n\u0000\u007F\u009B'), 'a␛[2J\tb\n␀␡⟨U+009B⟩');
	t.is(visible('\u202Egnp.exe\u200B \u2028 \uD800'), '⟨U+202E⟩gnp.exe⟨U+200B⟩ ⟨U+2028⟩ ⟨U+D800⟩');
	t.notRegex(visible(hostile).replaceAll(/[\n\t]/g, ''), /\p{C}/u);
});

test('carriage returns before a newline are removed', t => {
	t.is(visible('one\r\ntwo\r\r\nthree\r'), 'one\ntwo\nthree␍');
});

test('visibleLine removes newlines', t => {
	t.is(visibleLine(' one\r\n\n  two\n'), 'one two');
});

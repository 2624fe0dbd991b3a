// SPDX-License-Identifier: GPL-2.0
import test from 'ava';
import {html} from './markup.ts';

test('values in a template are escaped, also in attributes, lists and conditions', t => {
	const text = `<b a="1" b='2'>&`;
	const quoted = '&#60;b a=&#34;1&#34; b=&#39;2&#39;&#62;&#38;';
	t.is(html`<i a="${text}">${[text, 1]}${false}${undefined}</i>`.text, `<i a="${quoted}">${quoted}1</i>`);
});

test('nested markup is not escaped again', t => {
	t.is(html`<ul>${['<', '>'].map(each => html`<li>${each}</li>`)}</ul>`.text, '<ul><li>&#60;</li><li>&#62;</li></ul>');
});

test('invisible characters are shown', t => {
	t.is(html`${'\u001B\u202E'}`.text, '␛⟨U+202E⟩');
});

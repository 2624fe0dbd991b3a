// SPDX-License-Identifier: GPL-2.0
import test from 'ava';
import type {CellEvent} from '../../run/events.ts';
import {skipsSection} from './skips-section.ts';

const cell = (kernel: string, about: Partial<CellEvent> = {}): CellEvent => ({
	...{type: 'cell', kernel, mechanism: 'bprobe', case: 'a/b', repeat: 0, verdict: 'skip', durationMs: 1},
	...about,
});

test('skipped cells stand together by their reason, and all of them are counted', t => {
	const {text} = skipsSection([
		cell('k', {message: 'no chip'}),
		cell('k', {case: 'a/c', message: 'too old'}),
		cell('l', {target: 'asm', message: 'no chip'}),
		cell('l', {verdict: 'pass', case: 'a/passed'}),
		cell('m'),
	]);
	t.true(text.includes('<h2 id="skips">Skipped (4)</h2>'));
	t.deepEqual(
		[...text.matchAll(/<li>(.*?)<br><span class="muted">(.*?)<\/span><\/li>/g)].map(([, why, cells]) => [why, cells]),
		[
			['no chip', 'k › a/b, l › a/b[asm]'],
			['too old', 'k › a/c'],
			['No reason is given.', 'm › a/b'],
		],
	);
	t.false(text.includes('Nothing.'));
});

test('a run without skipped cells says so', t => {
	t.true(skipsSection([cell('k', {verdict: 'pass'})]).text.includes('<p>Nothing.</p>'));
});

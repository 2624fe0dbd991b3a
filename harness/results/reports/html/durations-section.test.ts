// SPDX-License-Identifier: GPL-2.0
import test from 'ava';
import type {CellEvent} from '../../run/events.ts';
import {durationsSection} from './durations-section.ts';

const cell = (name: string, durationMs: number, verdict: CellEvent['verdict'] = 'pass'): CellEvent => ({
	...{type: 'cell', kernel: 'k', mechanism: 'bprobe', case: `entry/${name}`, repeat: 0, verdict, durationMs},
});

/** The names of a section's rows. */
const rowsOf = (text: string) => [...text.matchAll(/<th scope="row">k › entry\/(\w+)/g)].map(([, name]) => name);

test('without a history, the slowest cells come first; those that did not pass say nothing', t => {
	const cells = [cell('quick', 10), cell('slow', 900), cell('failed', 5000, 'fail'), cell('middle', 100)];
	const {text} = durationsSection(cells);
	t.deepEqual(rowsOf(text), ['slow', 'middle', 'quick']);
	t.regex(text, /The 3 of 3 slowest cells/);
	t.notRegex(text, /median before/);
});

test('with a history, cells that became much faster are as remarkable as those that became slower', t => {
	const before: Readonly<Record<string, readonly number[]>> = {
		'entry/same': [100, 110],
		'entry/slower': [100, 100, 100],
		'entry/faster': [1000],
	};
	const cells = [cell('same', 100), cell('fresh', 9000), cell('slower', 300), cell('faster', 100)];
	const {text} = durationsSection(cells, ({case: id}) => before[id] ?? []);
	t.deepEqual(rowsOf(text), ['faster', 'slower', 'same']);
	t.regex(text, /× 0\.10/);
	t.regex(text, /× 3\.00/);
	t.regex(text, /differ most from earlier runs/);
});

test('at most sixty cells are shown, and a history of other cells is said to have none of them', t => {
	const cells = Array.from({length: 70}, (_, n) => cell(`c${n}`, n));
	const {text} = durationsSection(cells, () => []);
	t.is(rowsOf(text).length, 60);
	t.is(rowsOf(text)[0], 'c69');
	t.regex(text, /No earlier run has any of these cells/);
	t.regex(text, /The 60 of 70 slowest cells/);
});

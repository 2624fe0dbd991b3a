// SPDX-License-Identifier: GPL-2.0
import test from 'ava';
import type {CellEvent} from '../../results/run/events.ts';
import {attemptsOf, symptomOf} from './attempt.ts';

const cell = (verdict: CellEvent['verdict'], more: Partial<CellEvent> = {}): CellEvent => ({
	...{type: 'cell', kernel: 'k', mechanism: 'bprobe', case: 'return/value', target: 'asm', repeat: 0, durationMs: 1},
	verdict,
	...more,
});

test('attemptsOf combines all cells of one repeat into one attempt', t => {
	const ends = attemptsOf([
		cell('pass'),
		cell('crash', {target: 'c', message: 'Oops'}),
		cell('pass', {repeat: 1}),
		cell('skip', {repeat: 1, target: 'c', message: 'no'}),
		cell('skip', {repeat: 2}),
		cell('pass', {repeat: 3}),
		cell('inconclusive', {repeat: 3, target: 'c'}),
		cell('pass', {repeat: 4}),
		cell('infra', {repeat: 4, target: 'c'}),
	]).map(({end}) => end);
	t.deepEqual(ends, ['fail', 'pass', 'skip', 'void', 'void']);
});

test('a crash with the same title in another case is the same symptom; another crash is not', t => {
	const title = 'KASAN: slab-out-of-bounds write in fx_write [fixtures]';
	const here = symptomOf(cell('crash', {message: `${title}\nthen: more`}));
	t.is(here, symptomOf(cell('crash', {case: 'entry/flags', message: title})));
	t.not(here, symptomOf(cell('crash', {message: 'WARNING in fx_write [fixtures]'})));
});

test('a failed check with other numbers is the same symptom; in another case it is not', t => {
	const fails = (message: string, id = 'return/value') => symptomOf(cell('fail', {case: id, message}));
	t.is(fails('ax is 0x2a after 17 calls'), fails('ax is 0xffffffff81000000 after 3 calls'));
	t.not(fails('ax is 0x2a'), fails('bx is 0x2a'));
	t.not(fails('ax is 0x2a'), fails('ax is 0x2a', 'entry/value'));
	t.not(fails('x'), symptomOf(cell('hang', {message: 'x'})));
});

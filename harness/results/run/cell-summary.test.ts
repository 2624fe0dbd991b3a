// SPDX-License-Identifier: GPL-2.0
import test from 'ava';
import {cellKey, summarizeCells} from './cell-summary.ts';
import type {CellEvent} from './events.ts';
import type {Verdict} from './verdict.ts';

const name = {kernel: 'k', mechanism: 'bprobe', case: 'a/b'};
const cell = (about: Partial<CellEvent>): CellEvent => ({
	...{type: 'cell', ...name, repeat: 0, verdict: 'pass', durationMs: 1},
	...about,
});
const summaryOf = (...repeats: readonly Partial<CellEvent>[]) =>
	[...summarizeCells(repeats.map(cell)).values()].map(({summary}) => summary)[0]!;
const verdictOf = (...ends: readonly Verdict[]) => summaryOf(...ends.map(verdict => ({verdict}))).verdict;

test('the worst verdict of the repeats is that of the cell', t => {
	const worstFirst: readonly Verdict[] = ['crash', 'hang', 'fail', 'pass'];
	for (const [index, worst] of worstFirst.entries()) t.is(verdictOf(...worstFirst.slice(index).toReversed()), worst);
});

test('repeats that proved nothing do not count beside others, and the worst of them counts alone', t => {
	t.is(verdictOf('infra', 'inconclusive', 'pass'), 'pass');
	t.is(verdictOf('infra', 'inconclusive', 'fail'), 'fail');
	const worstFirst: readonly Verdict[] = ['infra', 'inconclusive', 'known', 'skip'];
	for (const [index, worst] of worstFirst.entries()) t.is(verdictOf(...worstFirst.slice(index).toReversed()), worst);
});

test('the message is that of the first repeat with the worst verdict', t => {
	t.is(
		summaryOf(
			{verdict: 'fail', message: 'wrong'},
			{verdict: 'crash', message: 'first'},
			{verdict: 'crash', message: 'second'},
		).message,
		'first',
	);
	t.false('message' in summaryOf({verdict: 'fail'}));
});

test('the duration is the median of the repeats that passed; of all, if none did', t => {
	const hung = {verdict: 'hang', durationMs: 9000} as const;
	t.like(summaryOf({durationMs: 30}, hung, {durationMs: 10}), {durationMs: 20, durationsMs: [30, 10]});
	t.like(summaryOf(hung, {verdict: 'fail', durationMs: 1000}), {durationMs: 5000, durationsMs: []});
});

test('passes are counted beside the repeats that have a verdict on the module', t => {
	t.like(
		summaryOf(...(['pass', 'pass', 'fail', 'skip', 'infra', 'inconclusive'] as const).map(verdict => ({verdict}))),
		{passes: 2, total: 3},
	);
});

test('targets and mechanisms are cells of their own, with their names, in the order in which they first ended', t => {
	const [asm, c] = [{target: 'asm'}, {target: 'c'}];
	const other = {mechanism: 'kprobe', alternative: true} as const;
	const summaries = summarizeCells([c, asm, {...c, ...other}, asm].map(cell));
	t.deepEqual(
		[...summaries.values()].map(({summary, ...its}) => [its, summary.total]),
		[
			[{...name, ...c}, 1],
			[{...name, ...asm}, 2],
			[{...name, ...c, ...other}, 1],
		],
	);
	t.true(summaries.has(cellKey({...name, ...c})));
});

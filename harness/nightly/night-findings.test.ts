// SPDX-License-Identifier: GPL-2.0
import test from 'ava';
import type {CellSummary} from '../results/run/cell-summary.ts';
import type {JudgedCell} from './judge-night.ts';
import {findingsOf} from './night-findings.ts';

const name = {kernel: 'k', mechanism: 'bprobe', case: 'entry/flags', target: 'asm'};
const night: CellSummary = {
	verdict: 'fail',
	passes: 3,
	total: 4,
	durationMs: 1,
	durationsMs: [1],
	message: 'CF is 1\nmore',
};
const known = {case: 'entry/flags', since: '2026-11-20', issue: 'https://example.org/7'};
const news = {isNews: true, hasBooted: false} as const;
const findings: readonly JudgedCell[] = [
	{...name, kind: 'regression', isNew: true, night, reruns: {failed: 7, total: 10}},
	{...name, kind: 'known', isNew: false, since: 'r7', night, known},
	{...name, kind: 'known', isNew: false, since: 'r7', night, known: {...known, reason: 'it is'}},
];

test('the end event of a night holds everything that the terminal shows', t => {
	t.deepEqual(
		findingsOf({
			findings,
			lost: [
				{kernel: 'l', state: 'failed', reason: 'no compiler', isRegression: true, notRun: 5, ...news},
				{kernel: 'm', state: 'unavailable', isRegression: false, notRun: 0, ...news},
			],
			passAgain: [known, {...known, reason: 'it was'}],
			idle: [{kernel: 'k', case: 'entry/flgs', since: 'r1', reason: 'it is'}],
			unproved: [],
			exitCode: 1,
		}),
		[
			{
				kind: 'regression',
				kernel: 'k',
				cell: 'entry/flags[asm]',
				words: 'fail (1 of 4), 7 of 10 reruns failed, new: CF is 1',
			},
			{
				kind: 'known',
				kernel: 'k',
				cell: 'entry/flags[asm]',
				words: 'fail (1 of 4), since r7: known since 2026-11-20, https://example.org/7',
			},
			{
				kind: 'known',
				kernel: 'k',
				cell: 'entry/flags[asm]',
				words: 'fail (1 of 4), since r7: known since 2026-11-20, it is, https://example.org/7',
			},
			{kind: 'kernel', kernel: 'l', words: 'failed, and ran before: no compiler; 5 cells did not run'},
			{kind: 'kernel', kernel: 'm', words: 'unavailable: No reason is given.'},
			{kind: 'passesAgain', cell: 'entry/flags', words: 'known since 2026-11-20, https://example.org/7'},
			{kind: 'passesAgain', cell: 'entry/flags', words: 'known since 2026-11-20, it was, https://example.org/7'},
			{kind: 'idle', kernel: 'k', cell: 'entry/flgs', words: 'known since r1, it is'},
		],
	);
});

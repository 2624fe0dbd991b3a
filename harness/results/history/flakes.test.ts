// SPDX-License-Identifier: GPL-2.0
import test from 'ava';
import type {Verdict} from '../run/verdict.ts';
import {type CellStatistics, cellStatistics, lastFailure, wilson} from './flakes.ts';
import type {StoredResult} from './index-rows.ts';

const name = {kernel: 'k', mechanism: 'm', case: 'a/b'};

/** One run per letter: P passed, F failed, 7: seven of ten repeats passed, X: eleven repeats failed, -: no verdict. */
function history(words: string): {results: StoredResult[]} & typeof name {
	const results = words.split('').map((word, index): StoredResult => {
		const [passes, total] = {P: [1, 1], F: [0, 1], '-': [0, 0], X: [0, 11]}[word] ?? [Number(word), 10];
		let verdict: Verdict = total === 0 ? 'infra' : 'fail';
		if (total! > 0 && passes === total) verdict = 'pass';
		return {run: `r${String(index).padStart(2, '0')}`, verdict, passes: passes!, total: total!};
	});
	return {...name, results};
}

const cases: readonly (readonly [words: string, status: CellStatistics['status'], brokenSince?: string])[] = [
	['PPPPPPPPPP', 'steady'],
	['P', 'steady'],
	['PPPPPPPPPPF', 'flaky'],
	[`${'P'.repeat(500)}F`, 'flaky'],
	['PPPPPFPPPPP', 'flaky'],
	['PPPP7PPPPP', 'flaky'],
	['PPPPPPPPPPFF', 'broken', 'r10'],
	['PPPPPPPPPPX', 'broken', 'r10'],
	['PPPPPPPPPP-F-F-', 'broken', 'r11'],
	['PPPPPPPPPPFFFPPPPP', 'fixed'],
	['PPPPFPPFPPFPPPFF', 'flaky'],
	['PPPPFPPFPPFPPPFFFFFFFF', 'broken', 'r14'],
	['PFPFPFPFPFFF', 'flaky'],
	['F', 'broken', 'r00'],
	['FFFFFP', 'fixed'],
	['--', 'unknown'],
];
for (const [words, status, brokenSince] of cases) {
	test(`the history ${words.slice(0, 30)} is ${status}`, t => {
		const statistics = cellStatistics(history(words));
		t.is(statistics.status, status);
		t.is(statistics.brokenSince, brokenSince);
	});
}

test('repeats are counted, and runs in which a cell was broken do not count as flaky', t => {
	const statistics = cellStatistics(history('PPPPPPPPPP9XX'));
	t.like(statistics, {passes: 19, total: 42, firstSeen: 'r00', lastSeen: 'r12', status: 'broken', brokenSince: 'r11'});
	t.is(statistics.failureRate, 1 / 20);
});

test("the interval is Wilson's", t => {
	for (const [passes, total, low, high] of [
		[0, 0, 0, 1],
		[7, 10, 0.397, 0.892],
		[10, 10, 0.722, 1],
		[0, 10, 0, 0.278],
	] as const) {
		const interval = wilson(passes, total);
		t.true(Math.abs(interval.low - low) < 0.001 && Math.abs(interval.high - high) < 0.001, `${passes} of ${total}`);
	}
});

test('lastFailure ignores a failure that a later conclusive run has refuted', t => {
	t.is(lastFailure(history('PF-'))?.run, 'r01');
	t.is(lastFailure(history('FP-')), undefined);
});

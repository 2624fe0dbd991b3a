// SPDX-License-Identifier: GPL-2.0
import test from 'ava';
import {countVerdicts} from './cell-name.ts';
import {exitCode, isFailure, isGreen, type Verdict, verdicts} from './verdict.ts';

const none = countVerdicts([]);
const expected: Readonly<Record<Verdict, number>> = {
	pass: 0,
	known: 0,
	fail: 1,
	crash: 1,
	hang: 1,
	inconclusive: 3,
	skip: 0,
	infra: 3,
};

for (const verdict of verdicts) {
	test(`a run with one ${verdict} among passes exits with ${expected[verdict]}`, t => {
		t.is(exitCode({...none, pass: 5, [verdict]: 1}, {isKernelMissing: false}), expected[verdict] as 0 | 1 | 3);
	});
}

test('an unavailable kernel makes the exit status 3', t => {
	t.is(exitCode({...none, pass: 5}, {isKernelMissing: true}), 3);
});

test('a failure outweighs cells that could not run', t => {
	t.is(exitCode({...none, infra: 5, fail: 1}, {isKernelMissing: true}), 1);
});

test('what failed, and what is green; the others are neither', t => {
	t.deepEqual(
		verdicts.filter(verdict => isFailure({verdict})),
		['fail', 'crash', 'hang'],
	);
	t.deepEqual(
		verdicts.filter(verdict => isGreen({verdict})),
		['pass', 'known', 'skip'],
	);
});

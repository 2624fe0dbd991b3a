// SPDX-License-Identifier: GPL-2.0
import test from 'ava';
import type {Attempt} from './attempt.ts';
import {decide} from './decide.ts';

const letters: Readonly<Record<string, Attempt>> = {
	p: {end: 'pass', symptoms: []},
	b: {end: 'fail', symptoms: ['the bug'], message: 'the bug'},
	o: {end: 'fail', symptoms: ['another'], message: 'another'},
	m: {end: 'fail', symptoms: ['another', 'the bug'], message: 'another, and the bug'},
	s: {end: 'skip', symptoms: [], message: 'no such thing here'},
	v: {end: 'void', symptoms: [], message: 'no overlap'},
};
const attempts = (word: string) => word.split('').map(letter => letters[letter]!);

const rows: readonly (readonly [word: string, outcome: string, what: string])[] = [
	['', 'more 3', 'no attempts yet'],
	['ppppp', 'good', 'enough passes'],
	['pppp', 'more 1', 'one pass short'],
	['bb', 'bad', 'two failures'],
	['pppppppppbpb', 'bad', 'two failures among many passes'],
	['ppb', 'more 3', 'one failure proves nothing'],
	['pppppppppbppppp', 'more 15', 'a single failure: the bug may show rarely'],
	[`b${'p'.repeat(29)}`, 'skip failed only 1 of 30 times', 'a single failure among many passes'],
	['ooo', 'skip fails differently: another', 'another bug hides this one'],
	['opppp', 'more 1', 'another failure is no pass'],
	['oppppp', 'good', 'another bug does not always hide this one'],
	['pooooooooooopp', 'more 2', 'another bug hides this one nearly always'],
	['poooooooooooppp', 'skip failed differently 11 of 15 times: another', 'too few passes beside another bug'],
	['mm', 'bad', 'the bug shows beside another one'],
	['sss', 'skip no such thing here', 'the case does not apply'],
	['vvvvvvvvvvvvvv', 'fault no overlap', 'only void attempts'],
	['vvppppp', 'good', 'void attempts do not count'],
];

for (const [word, outcome, what] of rows) {
	test(`${what}: ${word || 'no attempt'} gives ${outcome}`, t => {
		const decision = decide(attempts(word), {repeats: 5, symptoms: new Set(['the bug'])});
		const words =
			'more' in decision
				? `more ${decision.more}`
				: 'fault' in decision
					? `fault ${decision.fault}`
					: [decision.verdict, decision.reason].filter(Boolean).join(' ');
		t.true(words.startsWith(outcome), words);
	});
}

test('with no list of symptoms, any failure is bad', t => {
	t.deepEqual(decide(attempts('oo'), {repeats: 5, symptoms: undefined}), {verdict: 'bad'});
});

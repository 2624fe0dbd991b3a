// SPDX-License-Identifier: GPL-2.0
import test from 'ava';
import type {Attempt} from './attempt.ts';
import type {Candidate, TestBench} from './candidate.ts';
import {Journal} from './journal.ts';
import {Judge} from './judge-candidate.ts';

const candidate = (id: string): Candidate => ({id, title: id});

/** `bad` fails every other time, the others never. */
function halfBadBench(): TestBench {
	let asked = 0;
	return {
		prepare: async ({id}) => ({fingerprint: id, isReused: true}),
		ask: async ({id}, repeats) =>
			Array.from({length: repeats}, (): Attempt => {
				const fails = id === 'bad' && asked++ % 2 === 0;
				return fails ? {end: 'fail', symptoms: ['the bug']} : {end: 'pass', symptoms: []};
			}),
	};
}

test('the doubts in several parents add up', async t => {
	using journal = new Journal();
	const judge = new Judge({
		...{stage: 'commits', testBench: halfBadBench(), journal},
		...{isAnyFailure: false, confidence: 0.95},
	});
	await judge.measureBadEnd(candidate('bad'));
	await judge.judge('step', candidate('bad'));
	const parents = [
		await judge.judge('parent', candidate('one'), {parents: 2}),
		await judge.judge('parent', candidate('other'), {parents: 2}),
	];
	const doubts = parents.map(parent => 1 - judge.confidenceIn([parent]));
	t.true(doubts.every(doubt => doubt > 0 && doubt < 0.05));
	t.true(Math.abs(1 - judge.confidenceIn(parents) - doubts[0]! - doubts[1]!) < 1e-12);
	t.is(judge.confidenceIn([...parents, await judge.judge('step', candidate('bad'))]), 0);
});

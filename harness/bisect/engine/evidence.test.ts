// SPDX-License-Identifier: GPL-2.0
import test from 'ava';
import type {Attempt} from './attempt.ts';
import {Evidence} from './evidence.ts';
import {firstMeasure} from './repeats.ts';

const candidate = (id: string) => ({id, title: `the ${id}`});
const attempts = (ends: string): readonly Attempt[] =>
	ends
		.split('')
		.map(end =>
			end === 'F'
				? {end: 'fail', symptoms: ['it'], message: 'it'}
				: end === 'O'
					? {end: 'fail', symptoms: ['other'], message: 'other'}
					: end === 'v'
						? {end: 'void', symptoms: [], message: 'no host'}
						: {end: 'pass', symptoms: []},
		);
const endsOf = (all: readonly Attempt[]) => all.map(({end}) => end[0]).join('');

test('candidates with the same image share what is known, whoever had it first', t => {
	const evidence = new Evidence();
	evidence.learn('image', {key: 'step 1', candidate: candidate('a'), attempts: attempts('pF')});
	evidence.learn('image', {key: 'step 2', candidate: candidate('b'), attempts: attempts('p')});
	evidence.learn('another', {key: 'step 3', candidate: candidate('c'), attempts: attempts('FF')});
	t.is(endsOf(evidence.of('image')), 'pfp');
	t.is(endsOf(evidence.of('image', {except: 'step 1'})), 'p');
	t.is(endsOf(evidence.of('image', {except: 'step 3'})), 'pfp');
	t.deepEqual(evidence.ownerOf('image'), candidate('a'));
	t.is(evidence.ownerOf('unknown'), undefined);
	t.deepEqual([evidence.of('unknown'), evidence.of(undefined)], [[], []]);
});

test('what a step tells replaces what it told before; attempts that prove nothing do not count', t => {
	const evidence = new Evidence();
	evidence.learn('image', {key: 'step 1', candidate: candidate('a'), attempts: attempts('pp')});
	evidence.learn('image', {key: 'step 1', candidate: candidate('a'), attempts: attempts('vFv')});
	t.is(endsOf(evidence.of('image')), 'f');
});

test('the rate is that of the nearest bad candidates, as few as give a measure', t => {
	const evidence = new Evidence();
	const bad = (image: string, ends: string) => {
		evidence.learn(image, {key: image, candidate: candidate(image), attempts: attempts(ends)});
		evidence.addBad(image);
	};
	t.deepEqual(evidence.nearestRate(new Set(['it'])), {failed: 0, asked: 0});
	bad('far', 'F'.repeat(firstMeasure));
	t.deepEqual(evidence.nearestRate(new Set(['it'])), {failed: firstMeasure, asked: firstMeasure});
	bad('near', 'pFpO');
	bad('nearest', 'F');
	// Five attempts are too few, so those of the next one count, too.
	t.deepEqual(evidence.nearestRate(new Set(['it'])), {failed: firstMeasure + 2, asked: firstMeasure + 5});
	t.deepEqual(evidence.nearestRate(undefined), {failed: firstMeasure + 3, asked: firstMeasure + 5});
	bad('nearest', `${'F'.repeat(firstMeasure - 1)}p`);
	t.deepEqual(evidence.nearestRate(new Set(['it'])), {failed: firstMeasure - 1, asked: firstMeasure});
	// One that turns out bad again is the nearest.
	bad('far', 'p'.repeat(firstMeasure));
	t.deepEqual(evidence.nearestRate(new Set(['it'])), {failed: 0, asked: firstMeasure});
});

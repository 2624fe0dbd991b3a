// SPDX-License-Identifier: GPL-2.0
import test from 'ava';
import {confidenceOf, leastRepeats, missChance, repeatsFor, stepConfidence} from './repeats.ts';

test('a bad end that fails more often needs fewer passes', t => {
	const repeats = [10, 6, 3, 1].map(failed => repeatsFor({failed, asked: 10}, 0.95) ?? Number.POSITIVE_INFINITY);
	t.deepEqual(
		repeats,
		repeats.toSorted((a, b) => a - b),
	);
	t.is(repeats[0], leastRepeats);
	t.true(new Set(repeats).size > 2, repeats.join(' '));
});

test('repeatsFor returns the smallest number of repeats that reaches the confidence', t => {
	const rate = {failed: 6, asked: 20};
	const repeats = repeatsFor(rate, 0.99)!;
	t.true(missChance(rate, repeats) <= 0.01);
	t.true(missChance(rate, repeats - 1) > 0.01);
});

test('with many measurements, the chance of a miss equals that of independent passes', t => {
	const chance = missChance({failed: 30_000, asked: 100_000}, 8);
	t.true(Math.abs(chance - 0.7 ** 8) < 0.001, String(chance));
});

test('few measurements give a more cautious estimate', t => {
	t.true(missChance({failed: 3, asked: 10}, 10) > missChance({failed: 300, asked: 1000}, 10));
});

test('repeatsFor gives up on a rate that is too low', t => {
	t.is(repeatsFor({failed: 1, asked: 60}, 0.99), undefined);
});

test('stepConfidence requires more of each step than of the whole', t => {
	const each = stepConfidence(0.95, 7);
	t.true(Math.abs(each ** 7 - 0.95) < 1e-9);
	const rate = {failed: 8, asked: 20};
	const repeats = repeatsFor(rate, each)!;
	t.true(
		confidenceOf(
			rate,
			Array.from({length: 7}, () => repeats),
		) >= 0.95,
	);
	t.true(
		confidenceOf(
			rate,
			Array.from({length: 7}, () => repeats - 1),
		) < 0.95,
	);
});

// SPDX-License-Identifier: GPL-2.0
import test from 'ava';
import {missChance, mostRepeats, parentMissChance, parentRepeatsFor, repeatsFor} from './repeats.ts';

const always = {failed: 10, asked: 10};

test('a bad end that fails more often needs fewer passes', t => {
	const repeats = [10, 6, 3, 1].map(failed => repeatsFor({failed, asked: 10}) ?? Number.POSITIVE_INFINITY);
	t.deepEqual(
		repeats,
		repeats.toSorted((a, b) => a - b),
	);
	t.true(new Set(repeats).size > 2, repeats.join(' '));
});

test('a kernel has to pass three times, even if the bad end has always failed', t => {
	t.is(repeatsFor(always), 3);
	t.is(repeatsFor({failed: 60, asked: 60}), 3);
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

test('what is before the result passes for long, even if the bug always shows in it', t => {
	const repeats = parentRepeatsFor(always, 0.95);
	t.true(0.9 ** repeats <= 0.05 && 0.9 ** (repeats - 1) > 0.05, String(repeats));
});

test('what is before the result may show the bug half as often', t => {
	const chance = parentMissChance({failed: 100, asked: 1000}, 40);
	t.true(Math.abs(chance - 0.95 ** 40) < 0.01, String(chance));
	t.true(parentRepeatsFor({failed: 3, asked: 20}, 0.95) > parentRepeatsFor(always, 0.95));
});

test('the passes before the result are limited, and then the confidence is lower', t => {
	const rare = {failed: 2, asked: 60};
	t.is(parentRepeatsFor(rare, 0.95), mostRepeats);
	t.true(parentMissChance(rare, mostRepeats) > 0.05);
});

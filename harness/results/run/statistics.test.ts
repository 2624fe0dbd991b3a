// SPDX-License-Identifier: GPL-2.0
import test from 'ava';
import {chanceOfLarger, median} from './statistics.ts';

// Expected values: R, wilcox.test(after, before, alternative = "greater", exact = FALSE).
test('chanceOfLarger equals the normal approximation', t => {
	t.true(Math.abs(chanceOfLarger([1, 2, 3, 4, 5], [6, 7, 8, 9, 10]) - 0.006093) < 1e-5);
});

test('for equal samples the probability is about one half', t => {
	t.true(Math.abs(chanceOfLarger([1, 2, 3, 4], [1, 2, 3, 4]) - 0.5) < 0.1);
});

test('the median is that of the numbers, however many digits they have', t => {
	t.is(median([1000, 90, 100]), 100);
	t.is(median([9, 1000, 90, 100]), 95);
});

test('equal values prove nothing', t => {
	t.is(chanceOfLarger([5, 5, 5], [5, 5, 5]), 1);
});

for (const [before, after] of [
	[[], [1]],
	[[1], []],
] as const) {
	test(`${before.length} and ${after.length} values prove nothing`, t => {
		t.is(chanceOfLarger(before, after), 1);
	});
}

test('samples of one distribution are significant as often as the level says', t => {
	let state = 12345;
	const random = () => {
		state = (state * 1103515245 + 12345) % 2 ** 31;
		return state / 2 ** 31;
	};
	const draw = (count: number) => Array.from({length: count}, () => Math.floor(random() * 50));
	const surprising = Array.from({length: 2000}, () => chanceOfLarger(draw(12), draw(9))).filter(p => p < 0.05).length;
	t.true(surprising > 50 && surprising < 140, String(surprising));
});

test('a single value is never significant', t => {
	t.true(
		chanceOfLarger(
			Array.from({length: 50}, () => 100),
			[5000],
		) > 0.019,
	);
});

test('median', t => {
	t.is(median([3, 1, 2]), 2);
	t.is(median([4, 1, 2, 3]), 2.5);
	t.is(median([]), 0);
});

import test from 'ava';
import {chanceOfLarger, median} from './statistics.ts';

// Expected values: R, wilcox.test(after, before, alternative = "greater", exact = FALSE).
test('the chance is that of the normal approximation', t => {
	t.true(Math.abs(chanceOfLarger([1, 2, 3, 4, 5], [6, 7, 8, 9, 10]) - 0.006093) < 1e-5);
});

test('equal samples are larger by chance in half of the cases', t => {
	t.true(Math.abs(chanceOfLarger([1, 2, 3, 4], [1, 2, 3, 4]) - 0.5) < 0.1);
});

test('values that are all the same tell nothing', t => {
	t.is(chanceOfLarger([5, 5, 5], [5, 5, 5]), 1);
});

for (const [before, after] of [
	[[], [1]],
	[[1], []],
] as const) {
	test(`nothing can be said of ${before.length} and ${after.length} values`, t => {
		t.is(chanceOfLarger(before, after), 1);
	});
}

test('chance makes unequal samples of the same as often as it says', t => {
	let state = 12345;
	const random = () => {
		state = (state * 1103515245 + 12345) % 2 ** 31;
		return state / 2 ** 31;
	};
	const draw = (count: number) => Array.from({length: count}, () => Math.floor(random() * 50));
	const surprising = Array.from({length: 2000}, () => chanceOfLarger(draw(12), draw(9))).filter(p => p < 0.05).length;
	t.true(surprising > 50 && surprising < 140, String(surprising));
});

test('one value is never a proof, whatever it is compared with', t => {
	t.true(
		chanceOfLarger(
			Array.from({length: 50}, () => 100),
			[5000],
		) > 0.019,
	);
});

test('the median', t => {
	t.is(median([3, 1, 2]), 2);
	t.is(median([4, 1, 2, 3]), 2.5);
	t.is(median([]), 0);
});

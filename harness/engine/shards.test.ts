import test from 'ava';
import {cutShards} from './shards.ts';

const times: Readonly<Record<string, number>> = {a: 10, b: 80, c: 20, d: 30, e: 40};
const kernels = Object.keys(times);

test('parts take about as long as each other', t => {
	t.deepEqual(
		cutShards(kernels, 2, kernel => times[kernel]),
		[
			['b', 'a'],
			['e', 'd', 'c'],
		],
	);
});

test('every kernel is in one part, however many there are', t => {
	for (let count = 1; count < 9; count++) {
		const parts = cutShards(kernels, count, kernel => times[kernel]);
		t.is(parts.length, count);
		t.deepEqual(parts.flat().toSorted(), kernels);
	}
});

test('without times each kernel weighs the same, one without takes an average one’s', t => {
	t.deepEqual(cutShards(kernels, 2), [
		['a', 'c', 'e'],
		['b', 'd'],
	]);
	t.deepEqual(
		cutShards(['a', 'x', 'b'], 2, kernel => times[kernel]),
		[['b'], ['x', 'a']],
	);
});

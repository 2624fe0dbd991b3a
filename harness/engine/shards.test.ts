// SPDX-License-Identifier: GPL-2.0
import test from 'ava';
import {cutShards} from './shards.ts';

const times: Readonly<Record<string, number>> = {a: 10, b: 80, c: 20, d: 30, e: 40};
const kernels = Object.keys(times);

test('all parts take about the same time', t => {
	t.deepEqual(
		cutShards(kernels, 2, kernel => times[kernel]),
		[
			['b', 'a'],
			['e', 'd', 'c'],
		],
	);
});

test('every kernel is in exactly one part, for any number of parts', t => {
	for (let count = 1; count < 9; count++) {
		const parts = cutShards(kernels, count, kernel => times[kernel]);
		t.is(parts.length, count);
		t.deepEqual(parts.flat().toSorted(), kernels);
	}
});

test('without times all kernels count the same; one kernel without a time counts as average', t => {
	t.deepEqual(cutShards(kernels, 2), [
		['a', 'c', 'e'],
		['b', 'd'],
	]);
	t.deepEqual(
		cutShards(['a', 'x', 'b'], 2, kernel => times[kernel]),
		[['b'], ['x', 'a']],
	);
});

test('a kernel whose time is 0 has not run yet: it counts as average, and not towards it', t => {
	const known: Readonly<Record<string, number>> = {a: 40, b: 60, x: 0};
	t.deepEqual(
		cutShards(['a', 'x', 'b'], 2, kernel => known[kernel]),
		[['b'], ['x', 'a']],
	);
});

// SPDX-License-Identifier: GPL-2.0
import test from 'ava';
import {type Release, ReleaseRange} from './release-range.ts';

const letters = {c: 'cached', f: 'fetched', b: 'built'} as const;
const range = (costs: string) =>
	new ReleaseRange(
		costs.split('').map(
			(letter, id): Release => ({
				id: String(id),
				title: String(id),
				cost: letters[letter as keyof typeof letters],
			}),
		),
	);

async function walk(costs: string, firstBad: number, skipped: readonly number[] = []) {
	const releases = range(costs);
	const asked: number[] = [];
	for (let next = await releases.next(); next; next = await releases.next()) {
		const number = Number(next.id);
		asked.push(number);
		await releases.mark(next, skipped.includes(number) ? 'skip' : number >= firstBad ? 'bad' : 'good');
	}
	const ends = [releases.good, releases.lastGood, releases.bad].map(({id}) => Number(id));
	return {asked, ends, left: releases.left(), suspects: (await releases.suspects()).map(({id}) => Number(id))};
}

test('the first bad release is found at every position', async t => {
	for (let bad = 1; bad < 12; bad++) {
		const {asked, suspects, ends, left} = await walk('cccccccccccc', bad);
		t.deepEqual(suspects, [bad]);
		t.deepEqual(ends, [0, bad - 1, 11], 'the ends stay, the newest good one moves');
		t.deepEqual(left, {candidates: 0, steps: 0});
		t.true(asked.length <= 4, asked.join(' '));
	}
});

test('cached releases are tested before fetched ones, fetched before built ones', async t => {
	t.deepEqual((await walk('cbfcfbc', 6)).asked, [3, 4, 5]);
	t.deepEqual((await walk('cbfcfbc', 1)).asked, [3, 2, 1]);
});

test('a skipped release widens the suspects only when it hides the first bad one', async t => {
	t.deepEqual((await walk('cccccc', 3, [2])).suspects, [2, 3]);
	t.deepEqual((await walk('cccccc', 3, [4])).suspects, [3]);
});

test('adjacent ends leave nothing to test', async t => {
	t.like(await walk('cc', 1), {asked: [], suspects: [1]});
});

test('what is left is counted, and estimated by halving', t => {
	t.deepEqual(
		['cc', 'ccc', 'cccc', 'ccccccccc'].map(costs => range(costs).left()),
		[
			{candidates: 0, steps: 0},
			{candidates: 1, steps: 1},
			{candidates: 2, steps: 2},
			{candidates: 7, steps: 3},
		],
	);
});

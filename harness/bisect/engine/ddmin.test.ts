// SPDX-License-Identifier: GPL-2.0
import test from 'ava';
import {smallestSet} from './ddmin.ts';

const items = Array.from({length: 100}, (_, index) => index);

async function search(isBad: (some: readonly number[]) => boolean, from = items) {
	let asked = 0;
	const found = await smallestSet(from, async some => {
		asked++;
		return isBad(some);
	});
	return {found, asked};
}

test('ddmin finds one option among a hundred by halving', async t => {
	for (const culprit of [0, 41, 99]) {
		const {found, asked} = await search(some => some.includes(culprit));
		t.deepEqual(found, [culprit]);
		t.true(asked <= 16, String(asked));
	}
});

test('ddmin finds options that are bad only in combination', async t => {
	t.deepEqual((await search(some => [3, 97].every(each => some.includes(each)))).found, [3, 97]);
	t.deepEqual((await search(some => [3, 50, 51].every(each => some.includes(each)))).found, [3, 50, 51]);
});

test('the result is minimal: every element is needed', async t => {
	const isBad = (some: readonly number[]) => some.filter(each => each % 10 === 0).length >= 3;
	const {found} = await search(isBad);
	t.is(found.length, 3);
	for (const each of found) t.false(isBad(found.filter(other => other !== each)));
});

test('a single difference is returned without a test', async t => {
	t.deepEqual(await search(() => true, [7]), {found: [7], asked: 0});
});

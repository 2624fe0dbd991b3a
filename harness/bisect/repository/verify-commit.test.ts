// SPDX-License-Identifier: GPL-2.0
import test, {type ExecutionContext} from 'ava';
import {FakeTestBench, openWorld} from '../../test/fake-repository.ts';
import type {Attempt} from '../engine/attempt.ts';
import {verify} from './verify-commit.ts';

const skips: Attempt = {end: 'skip', symptoms: [], message: 'no such thing here'};
const passes: Attempt = {end: 'pass', symptoms: []};
const breaks: Attempt = {end: 'fail', symptoms: ['crash: it breaks'], message: 'it breaks'};

/**
 * Bisects commits, of which number `first` breaks; commits for which `lies` gives an answer give that when they
 * are verified.
 */
async function verified(
	t: ExecutionContext,
	first: number,
	{commits = 10, lies = () => undefined}: {commits?: number; lies?: (title: string) => Attempt | undefined} = {},
) {
	const {checkout, hashes, ends, bisect} = await openWorld(t, {commits, breaks: first});
	const testBench = new FakeTestBench(checkout);
	const {finding, judge} = await bisect(testBench);
	t.is(finding.suspects[0]?.id, hashes[first]!);
	const ask = testBench.ask.bind(testBench);
	testBench.ask = async (candidate, repeats) => {
		const lie = lies(candidate.title);
		return lie ? Array.from({length: repeats}, () => lie) : ask(candidate, repeats);
	};
	return await verify(finding.suspects[0]!, {judge, checkout, bad: ends.bad, onStep() {}});
}

test('parent, commit and revert are judged again', async t => {
	const {parent, commit, revert, isConfirmed} = await verified(t, 9);
	t.deepEqual([parent.verdict, commit.verdict, revert?.verdict], ['good', 'bad', 'good']);
	t.regex(revert!.candidate.title, /^[\da-f]{12} with [\da-f]{12} reverted$/);
	t.true([parent, commit, revert!].every(({asked}) => asked > 0));
	t.true(isConfirmed);
});

test('what was judged for long enough before is not told again', async t => {
	const {checkout, ends, bisect} = await openWorld(t, {commits: 4, breaks: 3});
	const {finding, judge} = await bisect(new FakeTestBench(checkout));
	const told: string[] = [];
	await verify(finding.suspects[0]!, {judge, checkout, bad: ends.bad, onStep: ({role}) => told.push(role)});
	t.deepEqual(told, ['commit', 'revert']);
});

test('a commit that later commits build on is confirmed without a revert', async t => {
	const {revert, isConfirmed} = await verified(t, 5);
	t.is(revert, undefined);
	t.true(isConfirmed);
});

test('a commit that turns out good is not confirmed', async t => {
	const {commit, isConfirmed} = await verified(t, 5, {
		lies: title => (title.includes('change 5') ? passes : undefined),
	});
	t.is(commit.verdict, 'good');
	t.false(isConfirmed);
});

test('a commit without which the newer end is bad all the same is not confirmed', async t => {
	const {parent, commit, revert, isConfirmed} = await verified(t, 2, {
		commits: 3,
		lies: title => (title.includes('reverted') ? breaks : undefined),
	});
	t.deepEqual([parent.verdict, commit.verdict, revert?.verdict], ['good', 'bad', 'bad']);
	t.false(isConfirmed);
});

test('a revert that cannot be judged confirms nothing', async t => {
	const {parent, commit, revert, isConfirmed} = await verified(t, 9, {
		lies: title => (title.includes('reverted') ? skips : undefined),
	});
	t.deepEqual([parent.verdict, commit.verdict, revert?.verdict], ['good', 'bad', 'skip']);
	t.false(isConfirmed);
});

test('a commit whose parent is bad, too, is not confirmed', async t => {
	const {checkout, hashes, ends, bisect} = await openWorld(t, {commits: 4, breaks: 1});
	const {judge} = await bisect(new FakeTestBench(checkout));
	const later = {id: hashes[2]!, title: 'change 2'};
	const {parent, commit, revert, isConfirmed} = await verify(later, {judge, checkout, bad: ends.bad, onStep() {}});
	t.deepEqual([parent.candidate.id, parent.verdict, commit.verdict], [hashes[1]!, 'bad', 'bad']);
	t.is(revert, undefined, 'nothing else speaks against it');
	t.false(isConfirmed);
});

for (const [mends, hasRevert] of [
	[9, true],
	[5, false],
	[1, false],
] as const) {
	test(`the commit that mends the bug is found: number ${mends}`, async t => {
		const {checkout, hashes, ends, bisect} = await openWorld(t, {commits: 10, breaks: 0, mends});
		const {finding, judge} = await bisect(new FakeTestBench(checkout), {isFixed: true});
		t.deepEqual(
			finding.suspects.map(({id}) => id),
			[hashes[mends]!],
		);
		t.true(finding.confidence >= 0.95);
		const given = {judge, checkout, bad: ends.bad, onStep() {}, isFixed: true};
		const {parent, commit, revert, isConfirmed} = await verify(finding.suspects[0]!, given);
		t.deepEqual([parent.verdict, commit.verdict, revert?.verdict], ['bad', 'good', hasRevert ? 'bad' : undefined]);
		t.true(isConfirmed);
	});
}

test('a bug that is mended, comes back and is mended again leads to one of the fixes', async t => {
	const {checkout, hashes, bisect} = await openWorld(t, {commits: 12, breaks: 0, mends: 3, returns: 5, mendsAgain: 9});
	const {finding} = await bisect(new FakeTestBench(checkout), {isFixed: true});
	t.true([hashes[3], hashes[9]].includes(finding.suspects[0]?.id));
});

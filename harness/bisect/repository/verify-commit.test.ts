// SPDX-License-Identifier: GPL-2.0
import test, {type ExecutionContext} from 'ava';
import {FakeTestBench, openWorld} from '../../test/fake-repository.ts';
import {verify} from './verify-commit.ts';

/**
 * Bisects ten commits, of which number `breaks` breaks; commits for which `lies` is true pass when they are verified.
 */
async function verified(t: ExecutionContext, breaks: number, lies: (title: string) => boolean = () => false) {
	const {checkout, hashes, ends, bisect} = await openWorld(t, {commits: 10, breaks});
	const testBench = new FakeTestBench(checkout);
	const {finding, judge} = await bisect(testBench);
	t.is(finding.suspects[0]?.id, hashes[breaks]!);
	const ask = testBench.ask.bind(testBench);
	testBench.ask = async (candidate, repeats) =>
		lies(candidate.title)
			? Array.from({length: repeats}, () => ({end: 'pass', symptoms: []}))
			: ask(candidate, repeats);
	return await verify(finding.suspects[0]!, {judge, checkout, bad: ends.bad, onStep() {}});
}

test('parent, commit and revert are judged again', async t => {
	const {parent, commit, revert, isConfirmed} = await verified(t, 9);
	t.deepEqual([parent.verdict, commit.verdict, revert?.verdict], ['good', 'bad', 'good']);
	t.regex(revert!.candidate.title, /^[\da-f]{12} with [\da-f]{12} reverted$/);
	t.true([parent, commit, revert!].every(({asked}) => asked > 0));
	t.true(isConfirmed);
});

test('a commit that later commits build on is confirmed without a revert', async t => {
	const {revert, isConfirmed} = await verified(t, 5);
	t.is(revert, undefined);
	t.true(isConfirmed);
});

test('a commit that turns out good is not confirmed', async t => {
	const {commit, isConfirmed} = await verified(t, 5, title => title.includes('change 5'));
	t.is(commit.verdict, 'good');
	t.false(isConfirmed);
});

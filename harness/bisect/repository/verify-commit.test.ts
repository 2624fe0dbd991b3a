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
	const {commit, isConfirmed} = await verified(t, 5, title => title.includes('change 5'));
	t.is(commit.verdict, 'good');
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

import {mkdtempDisposable} from 'node:fs/promises';
import {tmpdir} from 'node:os';
import path from 'node:path';
import test, {type ExecutionContext} from 'ava';
import {bisect} from './bisect.ts';
import {Checkout} from './checkout.ts';
import {FakeLaboratory, makeHistory} from './fake-history.ts';
import {GitRange} from './git-range.ts';
import {History} from './history.ts';
import {Journal} from './journal.ts';
import {verify} from './verify.ts';

/** Of ten commits the one with that number breaks; `lies` says which commits are good all the same when verified. */
async function verified(t: ExecutionContext, breaks: number, lies: (title: string) => boolean = () => false) {
	const {path: directory, remove} = await mkdtempDisposable(path.join(tmpdir(), 'verify-'));
	t.teardown(remove);
	const tree = path.join(directory, 'tree');
	const hashes = await makeHistory(tree, {commits: 10, breaks});
	const history = await History.open(tree);
	const ends = await history.ends(hashes[0]!, hashes.at(-1)!);
	const checkout = await Checkout.open(history, path.join(directory, 'checkout'));
	using journal = new Journal(path.join(directory, 'journal.jsonl'));
	const laboratory = new FakeLaboratory(checkout);
	const range = await GitRange.start(checkout, ends);
	const {finding, judge} = await bisect({
		...{stage: 'commits', range, laboratory, journal, confidence: 0.95, isAnyFailure: false},
	});
	t.is(finding.suspects[0]?.id, hashes[breaks]!);
	const ask = laboratory.ask.bind(laboratory);
	laboratory.ask = async (subject, repeats) =>
		lies(subject.title) ? Array.from({length: repeats}, () => ({end: 'pass', symptoms: []})) : ask(subject, repeats);
	return await verify(finding.suspects[0]!, {judge, checkout, bad: ends.bad, onStep() {}});
}

test('parent, commit and revert are judged anew', async t => {
	const {parent, commit, revert, isConfirmed} = await verified(t, 9);
	t.deepEqual([parent.verdict, commit.verdict, revert?.verdict], ['good', 'bad', 'good']);
	t.regex(revert!.subject.title, /^[\da-f]{12} with [\da-f]{12} reverted$/);
	t.true([parent, commit, revert!].every(({asked}) => asked > 0));
	t.true(isConfirmed);
});

test('a commit on which others have built cannot be reverted, and is confirmed without that', async t => {
	const {revert, isConfirmed} = await verified(t, 5);
	t.is(revert, undefined);
	t.true(isConfirmed);
});

test('a commit that turns out to be good is not confirmed', async t => {
	const {commit, isConfirmed} = await verified(t, 5, title => title.includes('change 5'));
	t.is(commit.verdict, 'good');
	t.false(isConfirmed);
});

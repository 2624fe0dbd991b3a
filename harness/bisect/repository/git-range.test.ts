// SPDX-License-Identifier: GPL-2.0
import path from 'node:path';
import test, {type ExecutionContext} from 'ava';
import {UsageError} from '../../host/errors.ts';
import {FakeTestBench, openWorld, type Story} from '../../test/fake-repository.ts';
import {writeProgram} from '../../test/write-program.ts';
import {HostFaultError} from '../engine/candidate.ts';
import {Journal} from '../engine/journal.ts';
import {GitRange} from './git-range.ts';

/** A bug comes at 1, is mended at 2, which gives the image of 0 again, and comes back at 3. */
const returning: Story = {commits: 8, breaks: 1, mends: 2, returns: 3, documents: [2]};

/** Puts a git before the real one that runs `script` instead of `git bisect good|bad|skip`; `$@` runs the real one. */
async function withGit<T>(directory: string, script: string, work: () => Promise<T>): Promise<T> {
	const before = process.env.PATH;
	const file = path.join(directory, 'git');
	const isMark = `case " $* " in *" bisect good "*|*" bisect bad "*|*" bisect skip "*)`;
	await writeProgram(file, `#!/bin/bash\nset -- "$@"\nPATH=${before}\n${isMark}\n${script}\n;; esac\nexec git "$@"\n`);
	process.env.PATH = `${directory}:${before}`;
	try {
		return await work();
	} finally {
		process.env.PATH = before;
	}
}

async function open(t: ExecutionContext, story: Story = returning) {
	const world = await openWorld(t, story);
	const testBench = new FakeTestBench(world.checkout);
	return {...world, testBench};
}

test.serial('a bug that comes, goes and comes again leads to one of the commits that bring it', async t => {
	const {bisect, testBench, hashes} = await open(t);
	const {finding} = await bisect(testBench);
	t.true([hashes[1], hashes[3]].includes(finding.suspects[0]?.id));
});

const faults: readonly (readonly [what: string, script: string, words: RegExp])[] = [
	['does nothing', 'exit 0', /is proposed again\. `git bisect (?:good|bad) [\da-f]{12}` ended with 0 and said nothing/],
	['says nothing', 'git "$@" >/dev/null 2>&1; exit 0', /is proposed again.* ended with 0 and said nothing/],
	['ends with 4', 'echo "no more" >&2; exit 4', /ended with 4 and said "no more"/],
	['does it and ends with 1', 'git "$@" >/dev/null; exit 1', /ended with 1 and said nothing/],
	['is killed', 'kill -TERM $$', /was killed by SIGTERM/],
	['names no suspects', `echo "There are only 'skip'ped commits left to test."; exit 2`, /nothing is left to be/],
	['forgets its proposal', 'git "$@" >/dev/null; rm -f "$2/.git/BISECT_HEAD"; exit 0', /proposes no commit/],
];

for (const [what, script, words] of faults) {
	test.serial(`a git that ${what} ends the bisect, whose journal serves the next one`, async t => {
		const {bisect, testBench, hashes, directory} = await open(t);
		await withGit(directory, script, () =>
			t.throwsAsync(bisect(testBench), {instanceOf: HostFaultError, message: words}),
		);
		using journal = new Journal(path.join(directory, 'journal.jsonl'));
		t.true(journal.size > 2);
		const ask = testBench.ask.bind(testBench);
		testBench.ask = async (candidate, repeats) => {
			t.not(candidate.id, hashes.at(-1), 'the bad end is not asked again');
			return ask(candidate, repeats);
		};
		const {finding} = await bisect(testBench, {journal});
		t.true([hashes[1], hashes[3]].includes(finding.suspects[0]?.id));
	});
}

test.serial('a git that quotes its terms, as newer ones do, is understood', async t => {
	const {bisect, testBench, hashes, directory} = await open(t, {commits: 9, breaks: 4});
	const {finding} = await withGit(directory, `git "$@" | sed "s/first bad commit/first 'bad' commit/"; exit 0`, () =>
		bisect(testBench),
	);
	t.deepEqual(
		finding.suspects.map(({id}) => id),
		[hashes[4]!],
	);
});

test.serial('with each verdict fewer commits are left, also after a skip', async t => {
	const {checkout, ends, hashes} = await open(t, {commits: 40, breaks: 20});
	const range = await GitRange.start(checkout, ends);
	let {candidates} = range.left();
	t.is(candidates, 38);
	for (let each = await range.next(); each; each = await range.next()) {
		const number = hashes.indexOf(each.id);
		await range.mark(each, number % 3 === 0 ? 'skip' : number < 20 ? 'good' : 'bad');
		t.true(range.left().candidates < candidates, `${number}`);
		({candidates} = range.left());
	}
	t.is(candidates, 0);
});

test.serial('a search that begins again before or after a commit forgets the verdicts', async t => {
	const {checkout, ends, hashes} = await open(t, {commits: 20, breaks: 10});
	const found = async (range: GitRange, first: number) => {
		for (let each = await range.next(); each; each = await range.next())
			await range.mark(each, hashes.indexOf(each.id) < first ? 'good' : 'bad');
		return (await range.suspects()).map(({id}) => hashes.indexOf(id));
	};
	const candidate = async (number: number) => checkout.candidate(hashes[number]!);
	const range = await GitRange.start(checkout, ends);
	t.deepEqual(await found(range, 10), [10]);
	await range.searchBefore(await candidate(9));
	t.is(range.left().candidates, 8);
	// Those that were good before are bad now.
	t.deepEqual(await found(range, 4), [4]);
	await range.searchAfter(await candidate(2));
	t.is(range.left().candidates, 16);
	t.deepEqual(await found(range, 15), [15]);
});

test.serial('a bad commit of a branch that is older than the good end cannot be searched before', async t => {
	const {checkout, ends, hashes} = await open(t, {commits: 6, breaks: 3});
	const range = await GitRange.start(checkout, {...ends, good: await checkout.candidate(hashes[2]!)});
	await t.throwsAsync(range.searchBefore(await checkout.candidate(hashes[1]!)), {
		instanceOf: UsageError,
		message:
			/change 1\) is bad, on a branch that began before [0-9a-f]{12} \(change 2\); give an older commit as good\.$/,
	});
});

// SPDX-License-Identifier: GPL-2.0
import {appendFile, mkdtempDisposable, readFile} from 'node:fs/promises';
import {tmpdir} from 'node:os';
import path from 'node:path';
import test, {type ExecutionContext} from 'ava';
import {execa} from 'execa';
import {FakeTestBench, openWorld as openAny, type Story} from '../../test/fake-repository.ts';
import {ReleaseRange} from '../kinds/release-range.ts';
import {verify} from '../repository/verify-commit.ts';
import type {Attempt} from './attempt.ts';
import {type Candidate, CandidateError, HostFaultError, type TestBench} from './candidate.ts';
import {Journal, type Step} from './journal.ts';
import {bisect as bisectRange, findingOf} from './search.ts';

const story: Story = {commits: 20, breaks: 13, doesNotBuild: [9], doesNotBoot: [11]};

async function openWorld(t: ExecutionContext, its: Story = story) {
	const world = await openAny(t, its);
	const bisect = async (...given: Parameters<typeof world.bisect>) => (await world.bisect(...given)).finding;
	return {...world, bisect};
}

test('bisect finds the commit next to ones that do not build or boot', async t => {
	const {checkout, hashes, ...world} = await openWorld(t);
	const testBench = new FakeTestBench(checkout);
	const {suspects, confidence, steps, provedPasses} = await world.bisect(testBench);
	t.deepEqual(
		suspects.map(({id}) => id),
		[hashes[13]!],
	);
	const parent = steps.findLast(({candidate}) => candidate.id === hashes[12]);
	t.true(parent && parent.failed === 0 && parent.asked > 3);
	t.is(provedPasses, parent?.asked, 'what the confidence rests on');
	t.true(confidence >= 0.95, String(confidence));
	t.is(new Set(testBench.built).size, testBench.built.length, 'nothing is built twice');
	t.is(steps[0]?.role, 'bad end');
	t.is(steps[1]?.role, 'good end');
});

test('commits next to the first bad one that cannot be judged are listed as suspects', async t => {
	const {checkout, hashes, ...world} = await openWorld(t, {...story, doesNotBuild: [12], doesNotBoot: [11]});
	const {suspects} = await world.bisect(new FakeTestBench(checkout));
	t.deepEqual(suspects.map(({id}) => id).toSorted(), [hashes[11]!, hashes[12]!, hashes[13]!].toSorted());
});

for (const seed of [1, 2]) {
	test(`a case that fails 30 % of the time leads to the same commit (seed ${seed})`, async t => {
		const {checkout, hashes, ...world} = await openWorld(t);
		const {suspects, repeats, rate} = await world.bisect(new FakeTestBench(checkout, {failsOf100: 30, seed}));
		t.deepEqual(
			suspects.map(({id}) => id),
			[hashes[13]!],
		);
		t.true(rate.asked >= 20);
		// A bad end that always fails needs three.
		t.true(repeats > 3, String(repeats));
	});
}

for (const killAfter of [0, 2, 4]) {
	test(`a bisect that is killed after ${killAfter} answers resumes and repeats nothing`, async t => {
		const {directory, hashes} = await openWorld(t);
		const script = path.resolve(import.meta.dirname, '../../test/fake-bisect.ts');
		const killed = await execa(process.execPath, [script, directory, String(killAfter)], {reject: false});
		t.is(killed.signal, 'SIGKILL', killed.stderr);
		const journal = path.join(directory, 'journal.jsonl');
		// A kill can also truncate a line.
		await appendFile(journal, '{"type":"step","sta');
		const {stdout} = await execa(process.execPath, [script, directory, '1000']);
		t.is(stdout, hashes[13]!);
		const lines = (await readFile(journal, 'utf8'))
			.trim()
			.split('\n')
			.map(line => JSON.parse(line));
		const steps = lines.filter(({type}) => type === 'step').map(({role, candidate}) => `${role} ${candidate.id}`);
		t.is(new Set(steps).size, steps.length);
		const asked = (role: string) =>
			lines
				.filter(({type, key}) => type === 'attempts' && key.includes(role))
				.reduce((sum, {attempts}) => sum + attempts.length, 0);
		t.is(asked('bad end'), 10);
		t.is(asked('good end'), 10);
	});
}

test('a commit with the same image as another takes its verdict without booting a guest', async t => {
	// Commits 14 to 18 change only documents: their image is that of 13.
	const {checkout, ...world} = await openWorld(t, {
		...story,
		documents: [1, 2, 3, 4, 5, 6, 7, 8, 14, 15, 16, 17, 18, 19],
	});
	const testBench = new FakeTestBench(checkout);
	const ask = testBench.ask.bind(testBench);
	const asked = new Set<string>();
	testBench.ask = async (candidate, repeats) => {
		asked.add(candidate.id);
		return ask(candidate, repeats);
	};
	const {steps} = await world.bisect(testBench);
	const same = steps.filter(({sameAs}) => sameAs);
	t.true(same.length > 0);
	t.deepEqual(
		same.filter(({candidate}) => asked.has(candidate.id)),
		[],
	);
});

test('a commit with another failure is bad only with isAnyFailure', async t => {
	const world = await openWorld(t);
	const other = world.hashes.slice(13, 17);
	const symptom = ({id}: Candidate) => (other.includes(id) ? 'crash: elsewhere' : 'crash: it breaks');
	const strict = await world.bisect(new FakeTestBench(world.checkout, {symptom}));
	t.false(strict.suspects.length === 1 && strict.suspects[0]!.id === world.hashes[13]);
	t.true(strict.steps.some(({verdict, reason}) => verdict === 'skip' && reason?.includes('fails differently')));

	const lax = await openWorld(t);
	const {suspects} = await lax.bisect(new FakeTestBench(lax.checkout, {symptom}), {isAnyFailure: true});
	t.deepEqual(
		suspects.map(({id}) => id),
		[lax.hashes[13]!],
	);
});

type Answers = (candidate: Candidate, n: number) => Attempt['end'];

async function endsWith(t: ExecutionContext, answers: (hashes: readonly string[]) => Answers) {
	const {checkout, hashes, ...world} = await openWorld(t);
	const testBench = new FakeTestBench(checkout);
	const answer = answers(hashes);
	let n = 0;
	testBench.ask = async (candidate, repeats) =>
		Array.from({length: repeats}, () => {
			const end = answer(candidate, n++);
			return {end, symptoms: end === 'fail' ? ['x'] : [], message: `why it is a ${end}`};
		});
	return world.bisect(testBench);
}

const wrongEnds: readonly (readonly [what: string, answers: (hashes: readonly string[]) => Answers, words: RegExp])[] =
	[
		['a good end that is bad', () => () => 'fail', /change 0.* was given as good, but is bad/],
		['a bad end that is good', () => () => 'pass', /change 19.* was given as bad, but passed all 20 repeats/],
		[
			'a good end that is flaky',
			([first]) =>
				({id}, n) =>
					id !== first || n % 5 === 0 ? 'fail' : 'pass',
			/given as good, but is flaky: it failed \d of 10 times/,
		],
		[
			'a bad end that fails too rarely',
			([first]) =>
				({id}, n) =>
					id !== first && n === 3 ? 'fail' : 'pass',
			/failed only 1 of 60 times: to tell good from bad would need more than 200 repeats/,
		],
		[
			'a bad end that is skipped',
			() => () => 'skip',
			/bad end, does not count: the case is skipped there: why it is a skip/,
		],
		[
			'a good end that is skipped',
			([first]) =>
				({id}) =>
					id === first ? 'skip' : 'fail',
			/good end, does not count: the case is skipped there/,
		],
	];

for (const [what, answers, words] of wrongEnds) {
	test(`${what} ends the bisect with a one-line error`, async t => {
		const error = await t.throwsAsync(endsWith(t, answers), {name: 'UsageError', message: words});
		t.false(error?.message.includes('\n'));
	});
}

test('a good end that fails otherwise than the bad end is not good, and says how it fails', async t => {
	const {checkout, hashes, bisect} = await openWorld(t);
	const testBench = new FakeTestBench(checkout);
	testBench.ask = async ({id}, repeats) =>
		Array.from({length: repeats}, (_, n) => {
			if (id !== hashes[0]) return {end: 'fail', symptoms: ['x'], message: 'the bug'};
			return n === 0 ? {end: 'fail', symptoms: ['y'], message: 'no such file'} : {end: 'pass', symptoms: []};
		});
	await t.throwsAsync(bisect(testBench), {
		name: 'UsageError',
		message: /given as good, but it failed [1-9] of \d+ times, differently from the bad end: no such file\.$/,
	});
});

test('an end that cannot be built is said to be that end', async t => {
	const {checkout, hashes, bisect} = await openWorld(t);
	const testBench = new FakeTestBench(checkout);
	const prepare = testBench.prepare.bind(testBench);
	testBench.prepare = async candidate => {
		if (candidate.id === hashes[0]) throw new CandidateError('does not build: no compiler');
		return prepare(candidate);
	};
	await t.throwsAsync(bisect(testBench), {
		name: 'UsageError',
		message: /^The good end, .*change 0.*, cannot be tested: does not build: no compiler$/,
	});
});

test('a host that gives no answers at all is at fault', async t => {
	const {checkout, bisect} = await openWorld(t);
	const testBench = new FakeTestBench(checkout);
	testBench.ask = async () => [];
	await t.throwsAsync(bisect(testBench), {instanceOf: HostFaultError, message: /gives no answer to \d+ repeats\.$/});
});

test('void attempts only are reported as a host fault, not as a verdict', async t => {
	await t.throwsAsync(
		endsWith(t, () => () => 'void'),
		{instanceOf: HostFaultError, message: /gives no verdict in 20 repeats/},
	);
});

test('void attempts are not taken over by the next bisect', async t => {
	const {checkout, hashes, directory, ...world} = await openWorld(t);
	const ailing = new FakeTestBench(checkout);
	const ask = ailing.ask.bind(ailing);
	const isEnd = ({id}: Candidate) => [hashes[0], hashes.at(-1)].includes(id);
	ailing.ask = async (candidate, repeats) =>
		isEnd(candidate)
			? ask(candidate, repeats)
			: Array.from({length: repeats}, () => ({end: 'void', symptoms: [], message: 'QEMU was killed'}));
	await t.throwsAsync(world.bisect(ailing), {instanceOf: HostFaultError, message: /QEMU was killed/});
	using journal = new Journal(path.join(directory, 'journal.jsonl'));
	const {suspects} = await world.bisect(new FakeTestBench(checkout), {journal});
	t.deepEqual(
		suspects.map(({id}) => id),
		[hashes[13]!],
	);
});

test('bisecting and verifying leave the source repository unchanged', async t => {
	const {checkout, ends, tree, treeBefore, bisect} = await openAny(t, {...story, breaks: 19});
	const {finding, judge} = await bisect(new FakeTestBench(checkout));
	const {revert} = await verify(finding.suspects[0]!, {judge, checkout, bad: ends.bad, onStep() {}});
	t.truthy(revert, 'a commit was made');
	t.is(await tree(), treeBefore);
});

/** Passes that make a candidate good where the bad end always fails. */
const judgedRepeats = 3;

for (const isFixed of [false, true]) {
	test(`each step is told with what it leaves, the last one with nothing${isFixed ? ', also of a search for a fix' : ''}`, async t => {
		const directory = await mkdtempDisposable(path.join(tmpdir(), 'search-'));
		t.teardown(directory.remove);
		using journal = new Journal(path.join(directory.path, 'journal.jsonl'));
		const testBench: TestBench = {
			prepare: async ({id}) => ({fingerprint: id, isReused: true}),
			ask: async ({id}, repeats) => {
				const isBad = Number(id) >= 11 !== isFixed;
				return Array.from({length: repeats}, () => ({end: isBad ? 'fail' : 'pass', symptoms: isBad ? ['x'] : []}));
			},
		};
		const releases = Array.from({length: 16}, (_, n) => ({id: `${n}`, title: `${n}`, cost: 'cached' as const}));
		const told: string[] = [];
		const {judge} = await bisectRange({
			...{stage: 'releases', range: new ReleaseRange(releases), testBench, journal, confidence: 0.95},
			...{isAnyFailure: false, isFixed},
			onStep(step, {left, steps, repeats}) {
				told.push(`${step.role} ${step.candidate.id}: ${left.candidates} left in ${left.steps}`);
				t.is(steps.at(-1), step, 'it is in the steps that the time is estimated from');
				t.is(repeats, judgedRepeats);
			},
		});
		t.is(judge.repeats, judgedRepeats);
		const [bad, good, proved] = isFixed ? ['0', '15', 'commit 11'] : ['15', '0', 'parent 10'];
		t.deepEqual(told, [
			...[`bad end ${bad}: 14 left in 4`, `good end ${good}: 14 left in 4`],
			...['step 7: 7 left in 3', 'step 11: 3 left in 2', 'step 9: 1 left in 1', 'step 10: 0 left in 0'],
			`${proved}: 0 left in 0`,
		]);
	});
}

test('what was proved passed as often as the one that passed least', t => {
	const rate = {failed: 1, asked: 1};
	const judge = {steps: [], rate, nearestRate: rate, symptoms: [], repeats: 10, confidenceIn: () => 1};
	const proved = [
		{asked: 30, failed: 0},
		{asked: 25, failed: 5},
		{asked: 40, failed: 0},
	];
	const what = {stage: 'commits', isFixed: false, suspects: [], wanted: 0.95};
	const find = (steps: typeof proved) =>
		findingOf(judge as unknown as Parameters<typeof findingOf>[0], {
			...what,
			proved: steps as unknown as readonly Step[],
		});
	t.is(find(proved).provedPasses, 20);
	t.false('provedPasses' in find([]));
});

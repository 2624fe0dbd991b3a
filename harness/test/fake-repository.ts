// SPDX-License-Identifier: GPL-2.0
import {mkdir, mkdtempDisposable} from 'node:fs/promises';
import {tmpdir} from 'node:os';
import path from 'node:path';
import type {ExecutionContext} from 'ava';
import {execa} from 'execa';
import type {Attempt} from '../bisect/engine/attempt.ts';
import {type Candidate, CandidateError, type Prepared, type TestBench} from '../bisect/engine/candidate.ts';
import {Journal} from '../bisect/engine/journal.ts';
import {bisect} from '../bisect/engine/search.ts';
import {Checkout} from '../bisect/repository/checkout.ts';
import {git} from '../bisect/repository/git.ts';
import {GitRange} from '../bisect/repository/git-range.ts';
import {type Ends, SourceRepository} from '../bisect/repository/source-repository.ts';

/** What the commits of a repository do, by number from 0. */
export type Story = {
	readonly commits: number;
	readonly breaks: number;
	/** The commit that mends what `breaks` broke, the one that breaks it again, and the one that mends it again. */
	readonly mends?: number;
	readonly returns?: number;
	readonly mendsAgain?: number;
	/** Percentage of attempts on a bad commit that fail. */
	readonly failsOf100?: number;
	readonly doesNotBuild?: readonly number[];
	readonly doesNotBoot?: readonly number[];
	/** Commits that change nothing that a guest can see. */
	readonly documents?: readonly number[];
};

/** Makes a repository with `story.commits` commits on branch main. Returns their hashes in order. */
export async function makeHistory(directory: string, story: Story): Promise<readonly string[]> {
	await mkdir(directory, {recursive: true});
	await git(directory, ['init', '--quiet', '--initial-branch=main']);
	const commits = Array.from({length: story.commits}, (_, number) => commitText(number, story));
	await execa('git', ['-C', directory, 'fast-import', '--quiet'], {input: commits.join('')});
	await git(directory, ['reset', '--quiet', '--hard']);
	return (await git(directory, ['rev-list', '--reverse', 'main'])).split('\n');
}

/** A commit in the format of git fast-import. */
function commitText(number: number, story: Story): string {
	const {
		documents = [],
		breaks,
		mends = Infinity,
		returns = Infinity,
		mendsAgain = Infinity,
		doesNotBuild = [],
		doesNotBoot = [],
	} = story;
	const code = Array.from({length: number + 1}, (_, index) => index).findLast(index => !documents.includes(index));
	const state = JSON.stringify({
		code,
		isBad: (number >= breaks && number < mends) || (number >= returns && number < mendsAgain),
		doesBuild: !doesNotBuild.includes(number),
		doesBoot: !doesNotBoot.includes(number),
	});
	const data = (text: string) => `data ${Buffer.byteLength(text)}\n${text}\n`;
	return [
		`commit refs/heads/main\ncommitter Nobody <nobody@localhost> ${1_000_000_000 + number} +0000\n`,
		data(`change ${number}`),
		`M 644 inline state.json\n${data(state)}`,
		`M 644 inline notes\n${data(`${number}\n`)}\n`,
	].join('');
}

type State = {code: number; isBad: boolean; doesBuild: boolean; doesBoot: boolean};

/** A test bench that builds and boots nothing: it reads results from the commit. */
export class FakeTestBench implements TestBench {
	readonly built: string[] = [];
	asked = 0;
	readonly #checkout: Checkout;
	readonly #failsOf100: number;
	readonly #symptom: (candidate: Candidate) => string;
	readonly #states = new Map<string, State>();
	#random: number;

	constructor(
		checkout: Checkout,
		{
			failsOf100 = 100,
			seed = 1,
			symptom = () => 'crash: it breaks',
		}: {failsOf100?: number; seed?: number; symptom?: (candidate: Candidate) => string} = {},
	) {
		this.#checkout = checkout;
		this.#failsOf100 = failsOf100;
		this.#symptom = symptom;
		this.#random = seed;
	}

	async prepare(candidate: Candidate): Promise<Prepared> {
		const isReused = this.built.includes(candidate.id);
		if (!isReused) this.built.push(candidate.id);
		const state = await this.#state(candidate);
		if (!state.doesBuild) throw new CandidateError('does not build: error: no');
		return {fingerprint: `image ${state.code} ${state.isBad}`, isReused};
	}

	async ask(candidate: Candidate, repeats: number): Promise<readonly Attempt[]> {
		const state = await this.#state(candidate);
		if (!state.doesBoot) throw new CandidateError('does not boot: panic');
		this.asked += repeats;
		return Array.from({length: repeats}, (): Attempt => {
			const isFailure = state.isBad && this.#next() % 100 < this.#failsOf100;
			return isFailure
				? {end: 'fail', symptoms: [this.#symptom(candidate)], message: 'it breaks'}
				: {end: 'pass', symptoms: []};
		});
	}

	async #state({id}: Candidate): Promise<State> {
		// Kept, because starting git is most of what a test of a bisect costs.
		const known = this.#states.get(id);
		if (known) return known;
		// makeHistory wrote it.
		const state: State = JSON.parse(await git(this.#checkout.directory, ['show', `${id}:state.json`]));
		this.#states.set(id, state);
		return state;
	}

	#next(): number {
		// The high bits: the low bits of a linear congruential generator are hardly random.
		this.#random = (Math.imul(this.#random, 1_664_525) + 1_013_904_223) >>> 0;
		return this.#random >>> 16;
	}
}

type World = {
	/** Hashes of the commits, by number. */
	readonly hashes: readonly string[];
	readonly directory: string;
	readonly checkout: Checkout;
	readonly ends: Ends;
	readonly bisect: (
		testBench: TestBench,
		options?: {isAnyFailure?: boolean; isFixed?: boolean; journal?: Journal},
	) => Promise<Found>;
	/** Names, sizes and mtimes of all files in the source repository, before the bisect. */
	readonly treeBefore: string;
	readonly tree: () => Promise<string>;
};

type Found = Awaited<ReturnType<typeof bisect>>;

/** Makes a repository and everything that bisecting it needs. It is removed after the test. */
export async function openWorld(t: ExecutionContext, story: Story): Promise<World> {
	const {path: directory, remove} = await mkdtempDisposable(path.join(tmpdir(), 'bisect-'));
	t.teardown(remove);
	const place = path.join(directory, 'tree');
	const hashes = await makeHistory(place, story);
	const tree = async () => {
		const {stdout} = await execa('find', ['.', '-printf', '%p %s %T@\n'], {cwd: place});
		// If a revert makes an object that exists already, git updates its mtime, so mtimes of objects do not count.
		const lines = stdout.split('\n').map(line => line.replace(/^(\S+\/objects\/\w\w\/\S+ \d+) .*/, '$1'));
		return lines.toSorted().join('\n');
	};
	const treeBefore = await tree();
	const repository = await SourceRepository.open(place);
	const ends = await repository.ends(hashes[0]!, hashes.at(-1)!);
	const checkout = await Checkout.open(repository, path.join(directory, 'checkout'));
	const journal = new Journal(path.join(directory, 'journal.jsonl'));
	t.teardown(() => journal[Symbol.dispose]());
	return {
		...{hashes, directory, checkout, ends, treeBefore, tree},
		async bisect(testBench, options = {}) {
			const range = await GitRange.start(checkout, ends);
			const given = {isAnyFailure: false, journal, ...options};
			return bisect({stage: 'commits', range, testBench, confidence: 0.95, ...given});
		},
	};
}

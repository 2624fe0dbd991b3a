// SPDX-License-Identifier: GPL-2.0
import {mkdir, mkdtempDisposable, readFile, rm, truncate, writeFile} from 'node:fs/promises';
import {tmpdir} from 'node:os';
import path from 'node:path';
import test, {type ExecutionContext} from 'ava';
import {FakeTestBench, makeHistory} from '../../test/fake-repository.ts';
import {writeProgram} from '../../test/write-program.ts';
import {Journal} from '../engine/journal.ts';
import {bisect} from '../engine/search.ts';
import {Checkout} from './checkout.ts';
import {git} from './git.ts';
import {GitRange} from './git-range.ts';
import {SourceRepository} from './source-repository.ts';

/** A repository that a test shapes, with commands for it. */
type Place = {
	/** Holds all that a test makes. */
	readonly directory: string;
	readonly tree: string;
	readonly checkout: string;
	git(...args: readonly string[]): Promise<string>;
	/** Commits a state on what is checked out, and returns the hash. */
	commit(state: {code: number; isBad?: boolean; doesBuild?: boolean}, ...args: readonly string[]): Promise<string>;
};

const nobody = ['-c', 'user.name=Nobody', '-c', 'user.email=nobody@localhost', '-c', 'protocol.file.allow=always'];

async function openPlace(t: ExecutionContext): Promise<Place> {
	const {path: directory, remove} = await mkdtempDisposable(path.join(tmpdir(), 'odd-'));
	t.teardown(remove);
	const tree = path.join(directory, 'tree');
	await mkdir(tree);
	const place: Place = {
		...{directory, tree, checkout: path.join(directory, 'checkout')},
		git: async (...args) => git(tree, [...nobody, ...args]),
		async commit({code, isBad = false, doesBuild = true}, ...args) {
			await writeFile(path.join(tree, 'state.json'), JSON.stringify({code, isBad, doesBuild, doesBoot: true}));
			await place.git('add', 'state.json');
			await place.git('commit', '--quiet', '--allow-empty', `--message=code ${code}`, ...args);
			return place.git('rev-parse', 'HEAD');
		},
	};
	await place.git('init', '--quiet', '--initial-branch=main');
	return place;
}

/** The suspects between two revisions. */
async function search(
	{checkout: directory, tree: at}: Place,
	{good, bad, tree = at}: {good: string; bad: string; tree?: string},
): Promise<readonly string[]> {
	const repository = await SourceRepository.open(tree);
	const ends = await repository.ends(good, bad);
	const checkout = await Checkout.open(repository, directory);
	using journal = new Journal();
	const {finding} = await bisect({
		...{stage: 'commits', range: await GitRange.start(checkout, ends), testBench: new FakeTestBench(checkout)},
		...{journal, confidence: 0.95, isAnyFailure: false},
	});
	return finding.suspects.map(({id}) => id);
}

/** Commits on a line: good up to `breaks`, bad from there on. Returns their hashes. */
async function line(place: Place, {commits, breaks}: {commits: number; breaks: number}): Promise<readonly string[]> {
	const hashes: string[] = [];
	for (let code = 0; code < commits; code++) hashes.push(await place.commit({code, isBad: code >= breaks}));
	return hashes;
}

test('all parents of a merge are those of a suspect', async t => {
	const place = await openPlace(t);
	const good = await place.commit({code: 0});
	await place.git('checkout', '--quiet', '-b', 'side');
	const side = await place.commit({code: 1});
	await place.git('checkout', '--quiet', 'main');
	const own = await place.commit({code: 2});
	await place.git('merge', '--quiet', '--no-commit', '--strategy=ours', 'side');
	const merge = await place.commit({code: 3, isBad: true});
	const repository = await SourceRepository.open(place.tree);
	const range = await GitRange.start(
		await Checkout.open(repository, place.checkout),
		await repository.ends(good, merge),
	);
	for (let each = await range.next(); each; each = await range.next()) await range.mark(each, 'good');
	t.deepEqual(
		(await range.suspects()).map(({id}) => id),
		[merge],
	);
	t.deepEqual((await range.parents()).map(({id}) => id).toSorted(), [own, side].toSorted());
});

type Story = (place: Place, t: ExecutionContext) => Promise<{found: readonly string[]; wanted: readonly string[]}>;

const histories: Readonly<Record<string, Story>> = {
	async 'merges of branches that were merged into each other'(place) {
		const first = await place.commit({code: 0});
		await place.git('checkout', '--quiet', '-b', 'side');
		await place.commit({code: 1});
		const wanted = await place.commit({code: 2, isBad: true});
		await place.git('checkout', '--quiet', 'main');
		for (const code of [3, 4]) await place.commit({code});
		for (const [onto, from] of [
			['main', 'side~1'],
			['side', 'main~1'],
		] as const) {
			await place.git('checkout', '--quiet', onto);
			await place.git('merge', '--quiet', '--no-edit', '--strategy=ours', from);
		}
		await place.git('checkout', '--quiet', 'main');
		await place.git('merge', '--quiet', '--no-edit', '--strategy-option=theirs', 'side');
		await place.commit({code: 5, isBad: true});
		return {found: await search(place, {good: first, bad: 'main'}), wanted: [wanted]};
	},
	async 'a merge whose parents are good, of which one is not related to the other'(place) {
		const good = await place.commit({code: 0});
		await place.git('checkout', '--quiet', '--orphan', 'other');
		await place.commit({code: 1});
		await place.git('checkout', '--quiet', 'main');
		await place.git('merge', '--quiet', '--no-commit', '--allow-unrelated-histories', '--strategy=ours', 'other');
		const merge = await place.commit({code: 2, isBad: true});
		await place.commit({code: 3, isBad: true});
		return {found: await search(place, {good, bad: 'main'}), wanted: [merge]};
	},
	async 'empty commits before and after the first bad one'(place) {
		const hashes: string[] = [];
		for (const [code, isBad] of [
			[0, false],
			...Array.from({length: 5}, () => [0, false] as const),
			...Array.from({length: 5}, () => [1, true] as const),
		] as const)
			hashes.push(await place.commit({code, isBad}));
		return {found: await search(place, {good: hashes[0]!, bad: 'main'}), wanted: [hashes[6]!]};
	},
	async 'commits that do not build next to both ends'(place) {
		const hashes = [await place.commit({code: 0})];
		for (const code of [1, 2]) hashes.push(await place.commit({code, doesBuild: false}));
		hashes.push(await place.commit({code: 3}), await place.commit({code: 4, isBad: true}));
		for (const code of [5, 6]) hashes.push(await place.commit({code, doesBuild: false}));
		hashes.push(await place.commit({code: 7, isBad: true}));
		return {found: await search(place, {good: hashes[0]!, bad: 'main'}), wanted: [hashes[4]!]};
	},
	async 'dates that go backwards'(place) {
		const hashes: string[] = [];
		for (let code = 0; code < 12; code++) {
			const date = `@${2_000_000_000 - code * 10_000_000} +0000`;
			await writeFile(
				path.join(place.tree, 'state.json'),
				JSON.stringify({code, isBad: code > 6, doesBuild: true, doesBoot: true}),
			);
			await place.git('add', 'state.json');
			const env = {GIT_COMMITTER_DATE: date, GIT_AUTHOR_DATE: date};
			await git(place.tree, [...nobody, 'commit', '--quiet', `--message=${code}`], {env});
			hashes.push(await place.git('rev-parse', 'HEAD'));
		}
		return {found: await search(place, {good: hashes[0]!, bad: 'main'}), wanted: [hashes[7]!]};
	},
	async 'branches whose names are unusual'(place) {
		const hashes = await line(place, {commits: 5, breaks: 3});
		// By plumbing: `git branch` refuses some that exist in the wild.
		await place.git('update-ref', 'refs/heads/-bad', 'main');
		await place.git('update-ref', "refs/heads/gut;$(x)'ü", hashes[0]!);
		await place.git('update-ref', 'refs/heads/HEAD', hashes[1]!);
		await place.git('update-ref', `refs/tags/${'0'.repeat(12)}`, hashes[2]!);
		return {found: await search(place, {good: "gut;$(x)'ü", bad: 'refs/heads/-bad'}), wanted: [hashes[3]!]};
	},
	async 'submodules, and a person who checks them out'(place, t) {
		const inner = path.join(place.directory, 'inner');
		await makeHistory(inner, {commits: 3, breaks: 1});
		const good = await place.commit({code: 0});
		await place.git('submodule', '--quiet', 'add', inner, 'sub');
		await place.commit({code: 1});
		const wanted = await place.commit({code: 2, isBad: true});
		await place.commit({code: 3, isBad: true});
		await personSets(t, '[submodule]\n\trecurse = true\n[status]\n\tsubmoduleSummary = true\n');
		return {found: await search(place, {good, bad: 'main'}), wanted: [wanted]};
	},
	async 'a person who likes colours, signatures and files that are watched'(place, t) {
		const hashes = await line(place, {commits: 6, breaks: 3});
		await personSets(
			t,
			'[color]\n\tui = always\n[log]\n\tshowSignature = true\n[core]\n\tfsmonitor = /bin/false\n\tquotePath = true\n[protocol "file"]\n\tallow = never\n',
		);
		return {found: await search(place, {good: hashes[0]!, bad: 'main'}), wanted: [hashes[3]!]};
	},
	async 'a linked worktree without a branch, and locks of a git that was killed'(place) {
		const hashes = await line(place, {commits: 6, breaks: 3});
		const tree = path.join(place.directory, 'linked');
		await place.git('worktree', 'add', '--quiet', '--detach', tree, hashes[4]!);
		await writeFile(path.join(place.tree, '.git/index.lock'), '');
		await search(place, {good: hashes[0]!, bad: 'main', tree});
		for (const lock of ['index.lock', 'HEAD.lock', 'packed-refs.lock', 'refs/bisect/bad.lock', 'config.lock']) {
			await mkdir(path.dirname(path.join(place.checkout, '.git', lock)), {recursive: true});
			await writeFile(path.join(place.checkout, '.git', lock), '');
		}
		return {found: await search(place, {good: hashes[0]!, bad: 'main', tree}), wanted: [hashes[3]!]};
	},
	async 'a branch that has no commit yet checked out'(place) {
		const hashes = await line(place, {commits: 4, breaks: 2});
		await place.git('checkout', '--quiet', '--orphan', 'empty');
		await place.git('rm', '--quiet', '--cached', '-r', '.');
		return {found: await search(place, {good: hashes[0]!, bad: 'main'}), wanted: [hashes[2]!]};
	},
	async 'a history that was written again since the last bisect'(place) {
		await search(place, {good: (await line(place, {commits: 4, breaks: 2}))[0]!, bad: 'main'});
		await place.git('checkout', '--quiet', '--orphan', 'again');
		const hashes = await line(place, {commits: 4, breaks: 1});
		await place.git('branch', '--quiet', '-D', 'main');
		await place.git('reflog', 'expire', '--expire=now', '--all');
		await place.git('gc', '--quiet', '--prune=now');
		return {found: await search(place, {good: hashes[0]!, bad: 'again'}), wanted: [hashes[1]!]};
	},
	async 'replace refs and grafts that tell another history'(place) {
		const hashes = await line(place, {commits: 6, breaks: 3});
		// By these, the first bad commit would be the child of the first one, and the tree of the third a good one.
		await place.git('replace', hashes[2]!, hashes[4]!);
		await writeFile(path.join(place.tree, '.git/info/grafts'), `${hashes[3]} ${hashes[0]}\n`);
		return {found: await search(place, {good: hashes[0]!, bad: 'main'}), wanted: [hashes[3]!]};
	},
	async 'a thousand commits'(place) {
		const hashes = await makeHistory(place.tree, {commits: 1000, breaks: 998});
		return {found: await search(place, {good: hashes[0]!, bad: 'main'}), wanted: [hashes[998]!]};
	},
};

/** Those that change the environment of this process run alone. */
const testOf = (act: (...given: never[]) => unknown) => (act.length > 1 ? test.serial : test);

for (const [what, story] of Object.entries(histories)) {
	testOf(story)(`a bisect is right in a repository with ${what}`, async t => {
		const {found, wanted} = await story(await openPlace(t), t);
		t.deepEqual(found, wanted);
	});
}

/** Gives the person who runs the test this git configuration. */
async function personSets(t: ExecutionContext, config: string): Promise<void> {
	const home = await mkdtempDisposable(path.join(tmpdir(), 'home-'));
	const before = process.env.HOME;
	process.env.HOME = home.path;
	t.teardown(async () => {
		process.env.HOME = before;
		await home.remove();
	});
	await writeFile(path.join(home.path, '.gitconfig'), config);
}

/** Puts a program before git that prints a line and runs it. */
async function wrapGit(t: ExecutionContext, {directory}: Place, line: string): Promise<void> {
	const before = process.env.PATH;
	t.teardown(() => {
		process.env.PATH = before;
	});
	await mkdir(path.join(directory, 'bin'));
	const file = path.join(directory, 'bin/git');
	await writeProgram(file, `#!/bin/sh\nPATH=${before}\n${line}\nexec git "$@"\n`);
	process.env.PATH = `${path.dirname(file)}:${before}`;
}

const refusals: Readonly<
	Record<string, readonly [words: RegExp, act: (place: Place, t: ExecutionContext) => Promise<unknown>]>
> = {
	'ends of branches that were never merged': [
		/^main .* is not an ancestor of other .*\)\.$/,
		async place => {
			await line(place, {commits: 2, breaks: 1});
			await place.git('checkout', '--quiet', '--orphan', 'other');
			await place.commit({code: 5, isBad: true});
			return search(place, {good: 'main', bad: 'other'});
		},
	],
	'ends that only a replace ref connects': [
		/is not an ancestor of .*, without its replace refs and grafts, which do not count\.$/,
		async place => {
			const good = await place.commit({code: 0});
			await place.git('checkout', '--quiet', '--orphan', 'other');
			const root = await place.commit({code: 1, isBad: true});
			await place.git('replace', '--graft', root, good);
			return search(place, {good, bad: 'other'});
		},
	],
	'ends that only a graft connects': [
		/is not an ancestor of .*, without its replace refs and grafts, which do not count\.$/,
		async place => {
			const good = await place.commit({code: 0});
			await place.git('checkout', '--quiet', '--orphan', 'other');
			const root = await place.commit({code: 1, isBad: true});
			await writeFile(path.join(place.tree, '.git/info/grafts'), `${root} ${good}\n`);
			return search(place, {good, bad: 'other'});
		},
	],
	'history that is missing': [
		/^git \S+ fails in .*: (?:fatal|error): .*[\da-f]{40}/,
		async place => {
			const hashes = await line(place, {commits: 4, breaks: 2});
			await rm(path.join(place.tree, '.git/objects', hashes[1]!.slice(0, 2)), {recursive: true});
			return search(place, {good: hashes[0]!, bad: 'main'});
		},
	],
	'a bare repository': [
		/^git rev-parse fails in .*bare\.git: fatal: this operation must be run in a work tree/,
		async place => {
			await line(place, {commits: 2, breaks: 1});
			const bare = path.join(place.directory, 'bare.git');
			await git(place.directory, ['clone', '--quiet', '--bare', place.tree, bare]);
			return SourceRepository.open(bare);
		},
	],
	'a submodule with changes of its own': [
		/has uncommitted changes \(sub\)/,
		async place => {
			await makeHistory(path.join(place.directory, 'inner'), {commits: 3, breaks: 1});
			await place.commit({code: 0});
			await place.git('submodule', '--quiet', 'add', path.join(place.directory, 'inner'), 'sub');
			await place.commit({code: 1});
			await writeFile(path.join(place.tree, 'sub/notes'), 'changed');
			return SourceRepository.open(place.tree);
		},
	],
	'a program around git that greets': [
		/^git rev-parse names no directory: it said "greetings\\n/,
		async (place, t) => {
			await line(place, {commits: 2, breaks: 1});
			await wrapGit(t, place, 'echo greetings');
			return search(place, {good: 'main~1', bad: 'main'});
		},
	],
	'a program around git that fails': [
		/^git rev-parse fails in .*: it ended with 7\.?$/,
		async (place, t) => {
			await line(place, {commits: 2, breaks: 1});
			await wrapGit(t, place, 'exit 7');
			return search(place, {good: 'main~1', bad: 'main'});
		},
	],
	'a program around git that is killed': [
		/^git rev-parse fails in .*: it was killed by SIGKILL\.?$/,
		async (place, t) => {
			await line(place, {commits: 2, breaks: 1});
			await wrapGit(t, place, 'kill -KILL $$');
			return search(place, {good: 'main~1', bad: 'main'});
		},
	],
};

for (const [what, [words, act]] of Object.entries(refusals)) {
	testOf(act)(`${what}: refused in one line`, async t => {
		const error = await t.throwsAsync(act(await openPlace(t), t), {name: 'UsageError', message: words});
		t.false(error?.message.includes('\n'));
	});
}

test.serial('a program around git that only talks to the person is no harm', async t => {
	const place = await openPlace(t);
	const hashes = await line(place, {commits: 5, breaks: 2});
	await wrapGit(t, place, 'echo greetings >&2');
	t.deepEqual(await search(place, {good: hashes[0]!, bad: 'main'}), [hashes[2]!]);
});

for (const [what, damage] of Object.entries({
	'lost its HEAD': async (directory: string) => rm(path.join(directory, '.git/HEAD')),
	'has an empty HEAD': async (directory: string) => truncate(path.join(directory, '.git/HEAD'), 0),
	'has no .git': async (directory: string) => rm(path.join(directory, '.git'), {recursive: true}),
})) {
	test.serial(
		`a checkout in the cache that ${what} is made again, and a repository around the cache stays as it is`,
		async t => {
			const place = await openPlace(t);
			const hashes = await line(place, {commits: 3, breaks: 2});
			const outer = path.join(place.directory, 'home');
			await makeHistory(outer, {commits: 2, breaks: 1});
			const before = process.env.PROBE_MATRIX_CACHE;
			process.env.PROBE_MATRIX_CACHE = path.join(outer, 'cache');
			t.teardown(() => {
				if (before === undefined) delete process.env.PROBE_MATRIX_CACHE;
				else process.env.PROBE_MATRIX_CACHE = before;
			});
			await mkdir(path.join(outer, 'cache/bisect'), {recursive: true});
			await writeFile(path.join(outer, 'notes'), 'work of the person');
			const checkout = path.join(outer, 'cache/bisect/source');
			await Checkout.open(await SourceRepository.open(place.tree), checkout);
			await damage(checkout);
			t.deepEqual(await search({...place, checkout}, {good: hashes[0]!, bad: 'main'}), [hashes[2]!]);
			t.is(await readFile(path.join(outer, 'notes'), 'utf8'), 'work of the person');
			t.regex(await git(outer, ['status', '--porcelain']), /^M notes|^ M notes/m);
			t.is(await git(outer, ['symbolic-ref', 'HEAD']), 'refs/heads/main');
		},
	);
}

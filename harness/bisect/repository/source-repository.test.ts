import {mkdir, mkdtempDisposable, writeFile} from 'node:fs/promises';
import {tmpdir} from 'node:os';
import path from 'node:path';
import test, {type ExecutionContext} from 'ava';
import {requireSpace} from '../../host/disk-space.ts';
import {makeHistory} from '../../test/fake-repository.ts';
import {renamesIn} from '../guests/config-changes.ts';
import {planCommits} from '../kinds/bisect-commits.ts';
import {Checkout, knownOptions} from './checkout.ts';
import {git} from './git.ts';
import {SourceRepository} from './source-repository.ts';

async function openTree(t: ExecutionContext) {
	const {path: directory, remove} = await mkdtempDisposable(path.join(tmpdir(), 'history-'));
	t.teardown(remove);
	const tree = path.join(directory, 'tree');
	const hashes = await makeHistory(tree, {commits: 6, breaks: 3});
	return {directory, tree, hashes};
}

type Refusal = (tree: string, directory: string) => Promise<unknown>;

const refusals: readonly (readonly [what: string, words: RegExp, act: Refusal])[] = [
	[
		'a directory without history',
		/nothing is not a git repository/,
		async (_, directory) => {
			await mkdir(path.join(directory, 'nothing'));
			return SourceRepository.open(path.join(directory, 'nothing'));
		},
	],
	[
		'a directory that does not exist',
		/nowhere is not a git repository/,
		async (_, directory) => SourceRepository.open(path.join(directory, 'nowhere')),
	],
	[
		'a shallow clone',
		/is a shallow clone, which lacks history; run `git fetch --unshallow`/,
		async (tree, directory) => {
			await git(directory, ['clone', '--quiet', '--depth=2', `file://${tree}`, 'shallow']);
			return SourceRepository.open(path.join(directory, 'shallow'));
		},
	],
	[
		'a dirty tree',
		/has uncommitted changes \(notes and 1 more\)/,
		async tree => {
			for (const file of ['state.json', 'notes']) await writeFile(path.join(tree, file), 'x');
			return SourceRepository.open(tree);
		},
	],
	[
		'an unknown revision',
		/There is no revision "v9" in /,
		async tree => (await SourceRepository.open(tree)).ends('v9', 'main'),
	],
	[
		'a revision that looks like an option',
		/There is no revision "--all" in /,
		async tree => (await SourceRepository.open(tree)).ends('main~2', '--all'),
	],
	[
		'the same commit twice',
		/main and HEAD are the same commit/,
		async tree => (await SourceRepository.open(tree)).ends('main', 'HEAD'),
	],
	[
		'a good end that descends from the bad one',
		/main .*is not an ancestor of main~3 /,
		async tree => (await SourceRepository.open(tree)).ends('main', 'main~3'),
	],
	[
		'a range without commits that touch the paths',
		/No commit between main~3 and main touches kmod/,
		async tree => (await SourceRepository.open(tree)).ends('main~3', 'main', {paths: ['kmod']}),
	],
	[
		'a tree that is not Linux',
		/is not a Linux source tree: it has no Makefile/,
		async tree => planCommits({linux: tree, good: 'main~3', bad: 'main'}),
	],
	[
		'a disk that is too small',
		/has [\d.]+ [GM]iB free, but this bisect needs 1024\.0 GiB\. Free some space/,
		async tree => requireSpace(tree, 2 ** 40, 'this bisect'),
	],
];

for (const [what, words, act] of refusals) {
	test(`${what} is refused with a one-line error`, async t => {
		const {tree, directory} = await openTree(t);
		const error = await t.throwsAsync(act(tree, directory), {name: 'UsageError', message: words});
		t.false(error?.message.includes('\n'));
	});
}

test('with paths, changes elsewhere are allowed', async t => {
	const {tree} = await openTree(t);
	await writeFile(path.join(tree, 'notes'), 'x');
	await t.notThrowsAsync(SourceRepository.open(tree, {paths: ['state.json']}));
	await t.throwsAsync(SourceRepository.open(tree, {paths: ['notes']}));
});

test('ends returns titled commits and the size of the range', async t => {
	const {tree, hashes} = await openTree(t);
	const {good, bad, commits} = await (await SourceRepository.open(tree)).ends('main~4', 'main');
	t.is(good.id, hashes[1]!);
	t.regex(bad.title, /^[\da-f]{12} \(change 5\)$/);
	t.is(commits, 4);
});

test("a bisect in progress in the user's repository is not disturbed", async t => {
	const {directory, tree, hashes} = await openTree(t);
	await git(tree, ['bisect', 'start', 'main', 'main~4']);
	const before = await git(tree, ['bisect', 'log']);
	const head = await git(tree, ['rev-parse', 'HEAD']);
	const checkout = await Checkout.open(await SourceRepository.open(tree), path.join(directory, 'checkout'));
	await checkout.at(hashes[5]!);
	t.is(await git(tree, ['bisect', 'log']), before);
	t.is(await git(tree, ['rev-parse', 'HEAD']), head);
	t.is(await git(tree, ['worktree', 'list', '--porcelain']).then(text => text.match(/^worktree/gm)?.length), 1);
});

test('files that two commits share keep their mtimes', async t => {
	const {directory, tree, hashes} = await openTree(t);
	const checkout = await Checkout.open(await SourceRepository.open(tree), path.join(directory, 'checkout'));
	await checkout.at(hashes[2]!);
	const untouched = path.join(checkout.directory, 'state.json');
	await git(checkout.directory, ['update-index', '--refresh']);
	const stat = async () => (await import('node:fs/promises')).stat(untouched);
	const before = (await stat()).mtimeMs;
	await checkout.at(hashes[2]!);
	t.is((await stat()).mtimeMs, before);
	await checkout.at(hashes[3]!);
	t.not((await stat()).mtimeMs, before);
});

test('a revert is the same commit each time, and undefined where it does not apply', async t => {
	const {directory, tree, hashes} = await openTree(t);
	const repository = await SourceRepository.open(tree);
	const checkout = await Checkout.open(repository, path.join(directory, 'checkout'));
	const last = await repository.commit('main');
	const once = await checkout.revertOn(last, last);
	t.truthy(once);
	t.deepEqual(await checkout.revertOn(last, last), once);
	t.is(await checkout.revertOn(last, await repository.commit(hashes[2]!)), undefined);
	await t.notThrowsAsync(checkout.at(hashes[1]!), 'the failed revert is out of the way');
});

test("the user's git settings do not prevent a revert", async t => {
	const {directory, tree} = await openTree(t);
	const repository = await SourceRepository.open(tree);
	const checkout = await Checkout.open(repository, path.join(directory, 'checkout'));
	await git(checkout.directory, ['config', 'commit.gpgSign', 'true']);
	await git(checkout.directory, ['config', 'gpg.program', '/bin/false']);
	const last = await repository.commit('main');
	t.truthy(await checkout.revertOn(last, last));
});

test('a revert that fails for a reason other than a conflict throws', async t => {
	const {directory, tree} = await openTree(t);
	const repository = await SourceRepository.open(tree);
	const checkout = await Checkout.open(repository, path.join(directory, 'checkout'));
	const last = await repository.commit('main');
	await git(checkout.directory, ['config', 'merge.renameLimit', 'nonsense']);
	await t.throwsAsync(checkout.revertOn(last, last), {
		name: 'UsageError',
		message: /git revert fails.*merge\.renamelimit/,
	});
	await t.notThrowsAsync(checkout.at(last.id));
});

test('merges and commits that are already reverted have no revert', async t => {
	const {directory, tree, hashes} = await openTree(t);
	await git(tree, ['checkout', '--quiet', '--detach', hashes[2]!]);
	const nobody = ['-c', 'user.name=Nobody', '-c', 'user.email=nobody@localhost'];
	await git(tree, [...nobody, 'merge', '--quiet', '--no-ff', '--message=a merge', hashes[4]!]);
	const repository = await SourceRepository.open(tree);
	const checkout = await Checkout.open(repository, path.join(directory, 'checkout'));
	const merge = await repository.commit('HEAD');
	t.is(await checkout.revertOn(merge, merge), undefined);

	const last = await repository.commit('main');
	const without = await checkout.revertOn(last, last);
	t.is(await checkout.revertOn(without!, last), undefined);
});

test('a commit that renames an option in a Kconfig file is recognized, and both names are known where they are', async t => {
	const {directory, tree} = await openTree(t);
	const author = ['-c', 'user.name=Nobody', '-c', 'user.email=nobody@localhost'];
	const commit = async (text: string) => {
		await mkdir(path.join(tree, 'lib'), {recursive: true});
		await writeFile(path.join(tree, 'lib/Kconfig.debug'), text);
		await git(tree, ['add', '.']);
		await git(tree, [...author, 'commit', '--quiet', '--message=options']);
		return git(tree, ['rev-parse', 'HEAD']);
	};
	const before = await commit('config OLD\n\tbool "it"\n\nmenuconfig OTHER\n\tbool\n');
	const after = await commit('config NEW\n\tbool "it"\n\nmenuconfig OTHER\n\tbool\n');
	const checkout = await Checkout.open(await SourceRepository.open(tree), path.join(directory, 'checkout'));
	t.deepEqual([...renamesIn(await checkout.kconfigDiff(after))], [['CONFIG_OLD', 'CONFIG_NEW']]);
	const known = async (at: string) => [...(await knownOptions(tree, at))].toSorted();
	t.deepEqual(await known(before), ['CONFIG_OLD', 'CONFIG_OTHER']);
	t.deepEqual(await known(after), ['CONFIG_NEW', 'CONFIG_OTHER']);
});

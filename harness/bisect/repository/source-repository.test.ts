// SPDX-License-Identifier: GPL-2.0
import {cp, mkdir, mkdtempDisposable, readFile, rm, writeFile} from 'node:fs/promises';
import {tmpdir} from 'node:os';
import path from 'node:path';
import test, {type ExecutionContext} from 'ava';
import {requireSpace} from '../../host/disk-space.ts';
import {makeHistory} from '../../test/fake-repository.ts';
import {renamesIn} from '../guests/config-changes.ts';
import {planCommits} from '../kinds/bisect-commits.ts';
import {buildDirectoryOf} from './build-directory.ts';
import {Checkout, knownOptions} from './checkout.ts';
import {git} from './git.ts';
import {GitRange} from './git-range.ts';
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

/** A repository with Linux in a directory of it, between commits that touch other things. */
async function openMono(t: ExecutionContext) {
	const {path: directory, remove} = await mkdtempDisposable(path.join(tmpdir(), 'mono-'));
	t.teardown(remove);
	const tree = path.join(directory, 'kernel/linux');
	await mkdir(path.join(tree, 'arch/x86'), {recursive: true});
	await git(directory, ['init', '--quiet', '--initial-branch=main']);
	await writeFile(path.join(tree, 'Makefile'), 'VERSION = 6\nPATCHLEVEL = 1\nSUBLEVEL = 0\nEXTRAVERSION =\n');
	await writeFile(path.join(tree, 'arch/x86/Makefile'), '');
	const author = ['-c', 'user.name=Nobody', '-c', 'user.email=nobody@localhost'];
	const commit = async (file: string, text: string) => {
		await mkdir(path.dirname(path.join(directory, file)), {recursive: true});
		await writeFile(path.join(directory, file), text);
		await git(directory, ['add', '.']);
		await git(directory, [...author, 'commit', '--quiet', `--message=${file} ${text}`]);
		return git(directory, ['rev-parse', 'HEAD']);
	};
	const hashes: string[] = [];
	for (let number = 0; number < 4; number++) {
		hashes.push(await commit('kernel/linux/x.c', `${number}`));
		await commit('firmware/y.c', `${number}`);
	}
	return {directory, tree, hashes};
}

test('of Linux below the top of a repository, only commits that touch it are steps', async t => {
	const {directory, tree, hashes} = await openMono(t);
	const {ends, repository} = await planCommits({linux: tree, good: hashes[0]!, bad: 'main'});
	t.is(ends.commits, 3);
	t.deepEqual(repository.paths, ['kernel/linux']);
	const checkout = await Checkout.open(repository, path.join(directory, '../', `${path.basename(directory)}.checkout`));
	t.teardown(() => rm(checkout.directory, {recursive: true, force: true}));
	await checkout.at(hashes[2]!);
	t.is(await readFile(path.join(checkout.source, 'x.c'), 'utf8'), '2');
	const range = await GitRange.start(checkout, ends, repository);
	const seen: string[] = [];
	for (let each = await range.next(); each; each = await range.next()) {
		seen.push(each.id);
		await range.mark(each, hashes.indexOf(each.id) >= 2 ? 'bad' : 'good');
	}
	t.deepEqual(
		seen.filter(id => !hashes.includes(id)),
		[],
	);
	t.deepEqual(
		(await range.suspects()).map(({id}) => id),
		[hashes[2]],
	);
});

test('changes outside of the tree do not matter, those inside do', async t => {
	const {directory, tree} = await openMono(t);
	await writeFile(path.join(directory, 'firmware/y.c'), 'changed');
	await t.notThrowsAsync(SourceRepository.openTree(tree));
	await writeFile(path.join(tree, 'x.c'), 'changed');
	await t.throwsAsync(SourceRepository.openTree(tree), {message: /has uncommitted changes \(kernel\/linux\/x\.c\)/});
});

test('two trees of one repository are built in different directories, whose names make can take', async t => {
	const {directory, tree} = await openMono(t);
	const of = async (place: string) => buildDirectoryOf(await SourceRepository.openTree(place));
	t.not(await of(tree), await of(directory));
	const odd = path.join(directory, 'my linux:6');
	await cp(tree, odd, {recursive: true});
	t.notRegex(path.basename(await of(odd)), /[\s:]/);
});

test('a directory of a repository that is not Linux is named as it was given', async t => {
	const {directory} = await openMono(t);
	const linux = path.join(directory, 'firmware');
	const error = await t.throwsAsync(planCommits({linux, good: 'main~1', bad: 'main'}), {name: 'UsageError'});
	t.regex(error!.message, /firmware is not a Linux source tree/);
});

const elsewhere: readonly (readonly [what: string, good: string, bad: string, words: RegExp])[] = [
	['came after the good end', 'early', 'main', /\(an early commit\) has no Linux tree at kernel\/linux; give a commit/],
	[
		'was moved after the good end',
		'moved',
		'main',
		/\(it is elsewhere\) has no Linux tree at kernel\/linux; give a commit/,
	],
	['is gone at the bad end', 'main~1', 'gone', /\(it is gone\) has no Linux tree at kernel\/linux; give a commit/],
];

for (const [what, good, bad, words] of elsewhere) {
	test(`a tree that ${what} is said before anything is built`, async t => {
		const {directory, tree} = await openMono(t);
		const author = ['-c', 'user.name=Nobody', '-c', 'user.email=nobody@localhost'];
		/** A commit on `parents` with the files of `files`, which nothing checks out. */
		const commit = async (name: string, files: string, message: string, ...parents: readonly string[]) => {
			const args = [...parents.flatMap(parent => ['-p', parent]), '-m', message, files];
			await git(directory, ['branch', '--force', name, await git(directory, [...author, 'commit-tree', ...args])]);
		};
		await commit('early', 'main:firmware', 'an early commit');
		await commit('moved', 'main:kernel', 'it is elsewhere', 'early');
		await commit('gone', 'main:firmware', 'it is gone', 'main');
		await git(directory, [
			'update-ref',
			'refs/heads/main',
			await git(directory, [...author, 'commit-tree', ...['-p', 'main', '-p', 'moved', '-m', 'join', 'main:']]),
		]);
		await t.throwsAsync(planCommits({linux: tree, good, bad}), {
			name: 'UsageError',
			message: words,
		});
	});
}

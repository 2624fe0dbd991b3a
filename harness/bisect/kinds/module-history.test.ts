// SPDX-License-Identifier: GPL-2.0
import {mkdir, mkdtempDisposable, realpath} from 'node:fs/promises';
import {tmpdir} from 'node:os';
import path from 'node:path';
import test, {type ExecutionContext} from 'ava';
import type {GuestContent} from '../../build/guest-content.ts';
import type {Suite} from '../../engine/suite.ts';
import {UsageError} from '../../host/errors.ts';
import {fakeSuite} from '../../test/fake-guest.ts';
import {git} from '../repository/git.ts';
import {moduleHistory} from './module-history.ts';

async function directoryFor(t: ExecutionContext): Promise<string> {
	const {path: directory, remove} = await mkdtempDisposable(path.join(tmpdir(), 'history-'));
	t.teardown(remove);
	return realpath(directory);
}

async function repositoryWith(t: ExecutionContext, ...directories: readonly string[]): Promise<string> {
	const top = await directoryFor(t);
	await git(top, ['init', '--quiet']);
	for (const directory of directories) await mkdir(path.join(top, directory), {recursive: true});
	return top;
}

/** A suite with modules in these directories; what would be in its guests is the list of directories. */
const suiteOf = (directories: readonly string[]): Suite => ({
	...fakeSuite,
	name: 'mine',
	modules: {directories, at: moved => moved as unknown as GuestContent},
});

test('the history of modules is that of their directories in the repository around them', async t => {
	const top = await repositoryWith(t, 'one', 'deep/two');
	const {repository, paths, at} = await moduleHistory(suiteOf(['one', 'deep/two'].map(each => path.join(top, each))));
	t.is(repository, top);
	t.deepEqual(paths, ['one', 'deep/two']);
	t.deepEqual(at('/checkout') as unknown, ['/checkout/one', '/checkout/deep/two']);
});

test('a module that is a whole repository has the history of all of it', async t => {
	const top = await repositoryWith(t);
	t.deepEqual((await moduleHistory(suiteOf([top]))).paths, ['.']);
});

test('another repository may have the history, with the same directories', async t => {
	const top = await repositoryWith(t, 'one');
	t.like(await moduleHistory(suiteOf([path.join(top, 'one')]), '/clone'), {repository: '/clone', paths: ['one']});
	const bare = path.join(await directoryFor(t), 'one');
	await mkdir(bare);
	t.like(await moduleHistory(suiteOf([bare]), '/clone'), {repository: '/clone', paths: ['one']});
	await t.throwsAsync(moduleHistory(suiteOf([bare])), {
		instanceOf: UsageError,
		message: /one has no history: it is in no git repository\.$/,
	});
});

test('modules of two repositories have no common history', async t => {
	const [top, other] = [await repositoryWith(t, 'one'), await repositoryWith(t, 'two')];
	await t.throwsAsync(moduleHistory(suiteOf([path.join(top, 'one'), path.join(other, 'two')])), {
		instanceOf: UsageError,
		message: /two and .*one are not in one repository/,
	});
});

test('a suite without a module that is built has no history', async t => {
	for (const suite of [{...fakeSuite, name: 'mine'}, suiteOf([])])
		await t.throwsAsync(moduleHistory(suite), {
			instanceOf: UsageError,
			message: /^mine has no module whose history could be bisected: name its directory by --module\.$/,
		});
});

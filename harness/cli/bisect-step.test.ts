// SPDX-License-Identifier: GPL-2.0
import {mkdtempDisposable} from 'node:fs/promises';
import {tmpdir} from 'node:os';
import path from 'node:path';
import test from 'ava';
import {git} from '../bisect/repository/git.ts';
import {makeHistory, type Story} from '../test/fake-repository.ts';
import {statusOf} from './bisect-step.ts';

const rows: readonly (readonly [
	what: string,
	story: Story,
	start: readonly string[],
	isFixed: boolean,
	first: number,
])[] = [
	['what brought a bug', {commits: 9, breaks: 4}, [], false, 4],
	['what brought one after a commit that does not build', {commits: 9, breaks: 6, doesNotBuild: [4]}, [], false, 6],
	['what mended one', {commits: 9, breaks: 0, mends: 6}, ['--term-old=broken', '--term-new=mended'], true, 6],
	[
		'what mended one, by git’s own words',
		{commits: 9, breaks: 0, mends: 3},
		['--term-new=new', '--term-old=old'],
		true,
		3,
	],
	[
		'a fix next to a commit that does not build',
		{commits: 9, breaks: 0, mends: 5, doesNotBuild: [3]},
		['--term-old=unfixed', '--term-new=fixed'],
		true,
		5,
	],
];

for (const [what, story, start, isFixed, first] of rows) {
	test(`git bisect run finds ${what} by the exit statuses`, async t => {
		const {path: directory, remove} = await mkdtempDisposable(path.join(tmpdir(), 'step-'));
		t.teardown(remove);
		const tree = path.join(directory, 'tree');
		const hashes = await makeHistory(tree, story);
		await git(tree, ['bisect', 'start', ...start, hashes.at(-1)!, hashes[0]!]);
		const {good, bad, skip} = statusOf({isFixed});
		const step = `grep -q '"doesBuild":false' state.json && exit ${skip}; grep -q '"isBad":true' state.json && exit ${bad}; exit ${good}`;
		const words = await git(tree, ['bisect', 'run', 'sh', '-c', step]);
		t.regex(words, new RegExp(`^${hashes[first]} is the first '?(?:bad|mended|new|fixed)'? commit`, 'm'));
	});
}

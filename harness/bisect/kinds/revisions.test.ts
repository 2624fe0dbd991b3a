// SPDX-License-Identifier: GPL-2.0
import {mkdtempDisposable} from 'node:fs/promises';
import {tmpdir} from 'node:os';
import path from 'node:path';
import test, {type ExecutionContext} from 'ava';
import {makeHistory} from '../../test/fake-repository.ts';
import {git} from '../repository/git.ts';
import {revisionsBetween} from './revisions.ts';

/** Like linux-stable: mainline releases in a row, with stable branches that are never merged back. */
async function openTree(t: ExecutionContext) {
	const {path: directory, remove} = await mkdtempDisposable(path.join(tmpdir(), 'revisions-'));
	t.teardown(remove);
	const [first, second] = await makeHistory(directory, {commits: 2, breaks: 1});
	await git(directory, ['tag', 'v4.15', first!]);
	await git(directory, ['tag', 'v5.10', second!]);
	const branch = async (from: string, ...tags: readonly string[]) => {
		await git(directory, ['checkout', '--quiet', '--detach', from]);
		for (const tag of tags) {
			const author = ['-c', 'user.name=Nobody', '-c', 'user.email=nobody@localhost'];
			await git(directory, [...author, 'commit', '--quiet', '--allow-empty', `--message=Linux ${tag.slice(1)}`]);
			await git(directory, ['tag', tag]);
		}
	};
	await branch('v4.15', 'v4.15.17', 'v4.15.18');
	await branch('v5.10', 'v5.10.261', 'v5.10.262');
	return directory;
}

const rows = [
	['4.15.18', '5.10.262', 'v4.15', 'v5.10.262', 'good is on another branch'],
	['5.10.261', '5.10.262', 'v5.10.261', 'v5.10.262', 'both are on one branch'],
	['4.15', '5.10.262', 'v4.15', 'v5.10.262', 'good is where the branch starts'],
	['4.15.18', '5.10', 'v4.15', 'v5.10', 'bad is on mainline'],
	['4.15.17', '5.10.9', 'v4.15', 'v5.10', 'the tree lacks bad'],
] as const;

for (const [good, bad, from, to, what] of rows) {
	test(`${good} to ${bad} is ${from} to ${to}: ${what}`, async t => {
		const revisions = await revisionsBetween(await openTree(t), {good, bad});
		if (revisions.kind === 'commits') throw new Error('Both are kernels.');
		t.deepEqual(await revisions.of({id: good, title: good}, {id: bad, title: bad}), {good: from, bad: to});
	});
}

test('an end that the tree lacks is refused before any kernel is tested', async t => {
	const words = /has no tag v6\.1\.5 or v6\.1, from which 6\.1\.5 was made/;
	const tree = await openTree(t);
	await t.throwsAsync(revisionsBetween(tree, {good: '4.15.18', bad: '6.1.5'}), {name: 'UsageError', message: words});
});

test('ends that are neither kernels nor revisions, or one of each, are refused', async t => {
	const tree = await openTree(t);
	for (const [good, bad, message] of [
		['v4.15', 'v9', /^v9 is neither a kernel nor a revision of /],
		['4.15.18', 'v5.10', /^4\.15\.18 and v5\.10 must both be kernels, or both revisions of /],
		['v4.15', '5.10.262', /^v4\.15 and 5\.10\.262 must both be kernels, or both revisions of /],
		['v8', '5.10.262', /^v8 is neither a kernel nor a revision of /],
	] as const)
		await t.throwsAsync(revisionsBetween(tree, {good, bad}), {name: 'UsageError', message}, `${good} ${bad}`);
});

test('revisions are passed through unchanged', async t => {
	const names = {good: 'v4.15', bad: 'v5.10.262'};
	t.deepEqual(await revisionsBetween(await openTree(t), names), {kind: 'commits', ...names});
});

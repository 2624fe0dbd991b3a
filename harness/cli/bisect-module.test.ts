// SPDX-License-Identifier: GPL-2.0
import {cp, mkdtempDisposable, readFile, rm, writeFile} from 'node:fs/promises';
import {tmpdir} from 'node:os';
import path from 'node:path';
import test from 'ava';
import {execa} from 'execa';
import {git} from '../bisect/repository/git.ts';
import {projectRoot} from '../build/sources.ts';
import {fallbackKernel} from '../kernels/default-kernels.ts';

/** A repository with the module of now, and three commits after it: the second one breaks it. */
async function makeHistory(repository: string): Promise<void> {
	await cp(path.join(projectRoot, 'kmod'), path.join(repository, 'kmod'), {recursive: true});
	await git(repository, ['init', '--quiet', '--initial-branch=main']);
	const commit = async (title: string) => {
		await git(repository, ['add', '--all']);
		const nobody = ['-c', 'user.name=Nobody', '-c', 'user.email=nobody@localhost'];
		await git(repository, [...nobody, 'commit', '--quiet', '--message', title]);
	};
	await commit('it works');
	for (const [title, file, old, now] of [
		['words', 'keep.c', '#include "frame.h"', '#include "frame.h" /* for bp_sweep() */'],
		['ip is lost', 'handler.h', '\tto->ip = address;\n', ''],
		['another name', 'device.c', 'MODULE_VERSION("', 'MODULE_VERSION("1'],
	] as const) {
		const place = path.join(repository, 'kmod', file);
		const text = await readFile(place, 'utf8');
		if (!text.includes(old)) throw new Error(`${file} has no ${old}`);
		await writeFile(place, text.replace(old, now));
		await commit(title);
	}
}

test('the commit that broke the module is found in guests, and confirmed', async t => {
	t.timeout(15 * 60_000);
	await using directory = await mkdtempDisposable(path.join(tmpdir(), 'module-history-'));
	const [repository, report, json] = ['repository', 'report.md', 'bisect.json'].map(name =>
		path.join(directory.path, name),
	) as [string, string, string];
	await makeHistory(repository);
	const main = path.join(import.meta.dirname, 'main.js');
	const what = ['bisect', '--module', repository, '--good', 'main~3', '--bad', 'main', '--kernel', fallbackKernel];
	const args = [...what, '--match', 'entry/sp-and-ip[c]', '--report', report, '--json', json];
	const {exitCode, stdout, stderr} = await execa(process.execPath, [main, ...args], {reject: false});
	t.is(exitCode, 0, `${stdout}\n${stderr}`);
	const {stages} = JSON.parse(await readFile(json, 'utf8'));
	t.is(stages.length, 1);
	const [{suspects, verification, isSure, confidence, directory: consoles}] = stages;
	t.teardown(() => rm(consoles, {recursive: true}));
	t.deepEqual(
		suspects.map(({title}: {title: string}) => title.replace(/^\w+ /, '')),
		['(ip is lost)'],
	);
	t.true(verification.isConfirmed && isSure && confidence >= 0.95);
	t.is(verification.parent.verdict, 'good');
	t.is(verification.revert.verdict, 'good');
	t.is((await readFile(report, 'utf8')).trimEnd(), stdout);
	t.regex(stdout, /^The first bad commit is \*\*\w+ \(ip is lost\)\*\*, with 9[5-9]\.\d % confidence\.$/m);
	t.regex(stdout, /^Tested: entry\/sp-and-ip\S+ \(1 cell\) on debian-6\.1\. The bad end failed 10 of 10 times;/m);
	t.regex(stdout, /npx probe-matrix bisect --module .*--match 'entry\/sp-and-ip\[c\]'/);
});

// SPDX-License-Identifier: GPL-2.0
import {mkdir, mkdtempDisposable, writeFile} from 'node:fs/promises';
import {tmpdir} from 'node:os';
import path from 'node:path';
import test from 'ava';
import {execa} from 'execa';
import project from '../../package.json' with {type: 'json'};
import {hashSources, projectRoot} from '../build/sources.ts';
import {packProject} from '../test/pack-project.ts';

const useOfTheApi = `import {defineCase, type Case} from 'probe-matrix';
const right: Case = defineCase({
	id: 'mine/first',
	needs: ['entry'],
	deadlineMs: 1000,
	async run({exec}) {
		const {stdout} = await exec('uname -r');
		stdout.trim();
	},
});
// @ts-expect-error: run is missing.
defineCase({id: 'mine/second', needs: [], deadlineMs: 1});
console.log(right.id);
`;

test('the package runs from an empty directory, and its API has types', async t => {
	t.timeout(15 * 60_000);
	await using directory = await mkdtempDisposable(path.join(tmpdir(), 'package-'));
	const at = (...parts: readonly string[]) => path.join(directory.path, ...parts);
	const tarball = await packProject(directory.path);

	await mkdir(at('empty'));
	const inEmpty = {cwd: at('empty'), env: {NO_COLOR: '1', GITHUB_ACTIONS: ''}};
	await execa('npm', ['install', '--prefer-offline', '--no-audit', '--no-fund', '--ignore-scripts', tarball], inEmpty);
	const probeMatrix = async (...args: readonly string[]) =>
		(await execa('npx', ['--no-install', 'probe-matrix', ...args], inEmpty)).stdout;
	t.is(await probeMatrix('--version'), project.version);
	t.regex(await probeMatrix('--help'), /^ {2}run +run the matrix/m);
	t.regex(await probeMatrix('kernels', 'list'), /^debian-6\.1 /m);
	t.regex(await probeMatrix('cases', '--match', 'entry/*'), /^entry\//m);

	// A package that lacks a source would build other guests, or none.
	const installed = await import(at('empty/node_modules/probe-matrix/dist/build/sources.js'));
	for (const place of ['kmod', 'fixtures', 'guest', 'images'])
		t.is(installed.hashSources([place]), hashSources([place]), place);
	for (const place of ['harness', 'harness/engine', 'harness/build/initramfs.ts'])
		t.regex(installed.hashSources([place]), /^[0-9a-f]{64}$/);

	await writeFile(at('empty/mine.ts'), useOfTheApi);
	const node = ['--module', 'nodenext', '--target', 'es2024', '--strict', '--noEmit', '--types', 'node'];
	const types = ['--typeRoots', path.join(projectRoot, 'node_modules/@types')];
	const tsc = path.join(projectRoot, 'node_modules/.bin/tsc');
	const {stdout, exitCode} = await execa(tsc, [...node, ...types, 'mine.ts'], {...inEmpty, reject: false});
	t.deepEqual({exitCode, stdout}, {exitCode: 0, stdout: ''});
	t.is((await execa(process.execPath, ['mine.ts'], inEmpty)).stdout, 'mine/first');
});

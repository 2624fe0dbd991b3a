// SPDX-License-Identifier: GPL-2.0
import {readFileSync} from 'node:fs';
import {mkdir, mkdtempDisposable} from 'node:fs/promises';
import {tmpdir} from 'node:os';
import path from 'node:path';
import test from 'ava';
import {execa} from 'execa';
import project from '../../package.json' with {type: 'json'};
import {projectRoot} from '../build/sources.ts';
import {packProject} from '../test/pack-project.ts';

/** The commands of docs/suites.md, in order, except the one that names the packed file. */
const commands = [
	...readFileSync(path.join(projectRoot, 'docs/suites.md'), 'utf8').matchAll(/^```sh\n([\s\S]*?)^```$/gm),
]
	.map(([, text]) => text!)
	.filter(text => !text.startsWith('export '));

test('the commands of docs/suites.md lead from an empty directory to the bisected kernel', async t => {
	t.timeout(15 * 60_000);
	await using directory = await mkdtempDisposable(path.join(tmpdir(), 'walk-'));
	const tarball = await packProject(directory.path);
	t.is(path.basename(tarball), `probe-matrix-${project.version}.tgz`);
	const cwd = path.join(directory.path, 'empty');
	await mkdir(cwd);
	const outputs: string[] = [];
	for (const text of commands) {
		const {stdout, stderr, exitCode} = await execa('bash', ['-e', '-c', text], {
			cwd,
			reject: false,
			env: {PROBE_MATRIX: tarball, NO_COLOR: '1', GITHUB_ACTIONS: '', npm_config_prefer_offline: 'true'},
		});
		t.is(exitCode, 0, `${text}${stdout}\n${stderr}`);
		outputs.push(stdout);
	}
	const output = outputs.join('\n');
	t.regex(output, /^fail debian-6\.1 › fan\/fast\.sh\n {2}fast\.sh ended with 1\n {2}fast is speed 0$/m);
	t.notRegex(output, /^fail debian-5\.10/m);
	t.regex(output, /^The first bad kernel is \*\*debian-6\.1 \(/m);
	t.regex(output, /^0$/m, 'exec');
});

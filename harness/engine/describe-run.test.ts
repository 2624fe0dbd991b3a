// SPDX-License-Identifier: GPL-2.0
import {cp, mkdir, mkdtempDisposable, symlink, writeFile} from 'node:fs/promises';
import {tmpdir} from 'node:os';
import path from 'node:path';
import test from 'ava';
import {execa} from 'execa';
import {projectRoot} from '../build/sources.ts';
import type {RunEvent} from '../results/run/events.ts';

const changes = {
	'guest/agent.c': ['probe-matrix'],
	'harness/engine/judge.ts': ['probe-matrix'],
	'images/kernels.json': ['probe-matrix'],
	'fake/module.c': ['fake'],
	'kmod/entry.c': [],
	'harness/engine/run-cell.test.ts': [],
};

/** Describes a run before and after each change, by the harness of the copy that it is in. */
const script = `
import {appendFileSync} from 'node:fs';
import {describeRun} from './harness/engine/describe-run.ts';
const suite = {name: 'fake', sources: ['fake'], targets: []};
const qemu = {version: '7.2.0', tcgThread: 'single'};
const accelerator = {name: 'tcg', reason: 'requested'};
const describe = () => describeRun({id: 'run', suite, cells: [], qemu, accelerator});
const runs = [await describe()];
for (const file of ${JSON.stringify(Object.keys(changes))}) {
	appendFileSync(file, '\\n');
	runs.push(await describe());
}
console.log(JSON.stringify(runs));
`;

test('each source that decides the verdicts is in the versions of a run, and a test is not', async t => {
	const copy = await mkdtempDisposable(path.join(tmpdir(), 'describe-'));
	t.teardown(() => copy.remove());
	for (const place of ['harness', 'images', 'package.json'])
		await cp(path.join(projectRoot, place), path.join(copy.path, place), {recursive: true});
	await symlink(path.join(projectRoot, 'node_modules'), path.join(copy.path, 'node_modules'));
	for (const file of ['guest/agent.c', 'kmod/entry.c', 'fake/module.c']) {
		await mkdir(path.join(copy.path, path.dirname(file)));
		await writeFile(path.join(copy.path, file), '');
	}
	await writeFile(path.join(copy.path, 'describe.ts'), script);
	const {stdout} = await execa(process.execPath, ['describe.ts'], {cwd: copy.path});
	// They are what describeRun returned.
	const runs = JSON.parse(stdout) as readonly RunEvent[];
	t.is(runs[0]!.accelerator.name, 'tcg, single-threaded');
	for (const [n, [file, changed]] of Object.entries(changes).entries()) {
		const [before, after] = [runs[n]!.versions, runs[n + 1]!.versions];
		t.deepEqual(
			Object.keys(before).filter(name => before[name] !== after[name]),
			changed,
			file,
		);
	}
});

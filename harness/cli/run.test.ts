// SPDX-License-Identifier: GPL-2.0
import {mkdtempDisposable, readdir, writeFile} from 'node:fs/promises';
import {tmpdir} from 'node:os';
import path from 'node:path';
import test, {type ExecutionContext} from 'ava';
import {execa} from 'execa';
import {readRun} from '../results/run/read-run.ts';
import {writeProgram} from '../test/write-program.ts';

const main = path.join(import.meta.dirname, 'main.js');

/** After how many writes to the history its disk is full, and for how many it stays so. */
type Full = {readonly after: number; readonly writes: number};

/** A module that makes the process which loads it first find the disk of the history full. */
const fullDisk = ({after, writes}: Full) => `
import fs from 'node:fs';
import {syncBuiltinESMExports} from 'node:module';
const {writeSync} = fs;
let count = 0;
fs.writeSync = (descriptor, ...rest) => {
	const isHistory = fs.readlinkSync('/proc/self/fd/' + descriptor).endsWith('.jsonl');
	if (isHistory && ++count > ${after} && count <= ${after + writes})
		throw Object.assign(new Error('ENOSPC: no space left on device, write'), {code: 'ENOSPC'});
	return writeSync(descriptor, ...rest);
};
syncBuiltinESMExports();
`;

/** Runs a command of one cell, whose kernel is not to be had. Also returns what its history then holds. */
async function withFullDisk(t: ExecutionContext, command: 'run' | 'nightly', full: Full) {
	const {path: directory, remove} = await mkdtempDisposable(path.join(tmpdir(), 'run-'));
	t.teardown(remove);
	const file = (...names: readonly string[]) => path.join(directory, ...names);
	await writeProgram(file('qemu-system-x86_64'), '#!/bin/sh\necho "QEMU emulator version 10.0.3"\n');
	await writeFile(file('full-disk.js'), fullDisk(full));
	const start = ['--import', file('full-disk.js'), main, command, '--history', file('history')];
	const out = 'http://127.0.0.1:9';
	const {exitCode, stdout, stderr} = await execa(
		process.execPath,
		[...start, '--kernel', 'debian-6.1', '--match', 'entry/flags[asm]'],
		{
			env: {
				...{PATH: `${directory}:${process.env.PATH}`, PROBE_MATRIX_CACHE: file('cache')},
				...{PROBE_MATRIX_MIRROR: out, PROBE_MATRIX_SECURITY_MIRROR: out, GITHUB_ACTIONS: '', NO_COLOR: '1'},
			},
			reject: false,
		},
	);
	const runs = (await readdir(file('history', 'runs'))).filter(name => name.endsWith('.jsonl'));
	t.is(runs.length, 1);
	return {exitCode, stdout, stderr, kept: await readRun(file('history', 'runs', runs[0]!))};
}

for (const command of ['run', 'nightly'] as const) {
	test(`${command}: a history whose disk stays full is said to lack the end, with 2, after the results`, async t => {
		const {exitCode, stdout, stderr, kept} = await withFullDisk(t, command, {after: 1, writes: 1000});
		t.is(exitCode, 2, stderr);
		t.regex(stderr, /^probe-matrix: .*\.jsonl cannot be written \(ENOSPC: .*\); the run continues and retries\.$/m);
		t.regex(stderr, /^probe-matrix: The history lacks the end of this run, which counts as interrupted: .*\(ENOSPC: /m);
		t.regex(stdout, /debian-6\.1\b/);
		t.true(kept.isInterrupted);
	});

	test(`${command}: a history whose disk is full until just before the end is whole`, async t => {
		const {exitCode, stderr, kept} = await withFullDisk(t, command, {after: 1, writes: 2});
		t.is(exitCode, 3, stderr);
		t.notRegex(stderr, /lacks the end/);
		t.like(kept.end, {notRun: 1, exitCode: 3});
		t.like(kept.kernels, [{kernel: 'debian-6.1', state: 'unavailable'}]);
	});
}

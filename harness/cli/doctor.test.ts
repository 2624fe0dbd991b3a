// SPDX-License-Identifier: GPL-2.0
import {mkdir, mkdtempDisposable, symlink} from 'node:fs/promises';
import {tmpdir} from 'node:os';
import path from 'node:path';
import test, {type ExecutionContext} from 'ava';
import {execa} from 'execa';
import packages from '../../images/host-packages.json' with {type: 'json'};
import {directoryOnPath} from '../host/qemu.ts';
import {writeProgram} from '../test/write-program.ts';

const main = path.join(import.meta.dirname, 'main.js');

type Host = {
	/** What `qemu-system-x86_64 --version` says; without it, there is no QEMU. */
	readonly qemu?: string;
	/** A program of this host that this one lacks. */
	readonly without?: string;
	readonly cache?: string;
};

/** Asks doctor about a host with all programs that are needed. Its cache is empty, and Debian is out of reach. */
async function diagnose(t: ExecutionContext, {qemu, without, cache = 'cache'}: Host) {
	const {path: directory, remove} = await mkdtempDisposable(path.join(tmpdir(), 'doctor-'));
	t.teardown(remove);
	const bin = path.join(directory, 'bin');
	await mkdir(bin);
	const needed = packages.filter(({tests}) => !tests).flatMap(({program}) => program ?? []);
	for (const name of [...needed, 'sh'].filter(each => each !== without))
		await symlink(path.join((await directoryOnPath(name))!, name), path.join(bin, name));
	if (qemu !== undefined)
		await writeProgram(path.join(bin, 'qemu-system-x86_64'), `#!/bin/sh\necho "QEMU emulator version ${qemu}"\n`);
	const out = 'http://127.0.0.1:9';
	const {stdout, exitCode} = await execa(process.execPath, [main, 'doctor'], {
		env: {
			...{PATH: bin, PROBE_MATRIX_CACHE: path.join(directory, cache), GITHUB_ACTIONS: ''},
			...{PROBE_MATRIX_MIRROR: out, PROBE_MATRIX_SECURITY_MIRROR: out},
		},
		reject: false,
	});
	return {exitCode, stdout, wrong: stdout.split('\n').filter(line => /^(?:missing|pending|unfit) /.test(line))};
}

test('a host that has everything is said to have it, with 0', async t => {
	const {exitCode, stdout, wrong} = await diagnose(t, {qemu: '10.0.3'});
	t.deepEqual(wrong, []);
	t.regex(stdout, /^ok {7}QEMU: \S+\/bin\/qemu-system-x86_64 10\.0\.3$/m);
	t.regex(stdout, /^ok {7}cache: \S+\/cache$/m);
	t.is(exitCode, 0);
});

test('a QEMU that is neither there nor to be fetched is said to be missing, with 2', async t => {
	const {exitCode, wrong} = await diagnose(t, {});
	t.is(wrong.length, 1, wrong.join('\n'));
	t.regex(wrong[0]!, /^missing {2}QEMU: qemu-system-x86_64 is not installed and could not be fetched: /);
	t.is(exitCode, 2);
});

test('a QEMU that does not say its version is said to be missing, with 2', async t => {
	const {exitCode, wrong} = await diagnose(t, {qemu: 'unknown'});
	t.is(wrong.length, 1, wrong.join('\n'));
	t.regex(wrong[0]!, /^missing {2}QEMU: .* does not print its version: QEMU emulator version unknown$/);
	t.is(exitCode, 2);
});

test('a program that is missing is said with what it is for and how to install it, with 2', async t => {
	const {exitCode, stdout, wrong} = await diagnose(t, {qemu: '10.0.3', without: 'pahole'});
	t.deepEqual(wrong, ['missing  pahole: modules of kernels whose headers hold type information get their own']);
	t.regex(stdout, /\n\nTo install the rest, as root:\n {2}apt-get update && apt-get install .* pahole\n/);
	t.is(exitCode, 2);
});

test('without what it takes to fetch QEMU, that is pending, with 2', async t => {
	const {exitCode, wrong} = await diagnose(t, {without: 'xz'});
	t.is(wrong.length, 2, wrong.join('\n'));
	t.regex(wrong[0]!, /^missing {2}xz-utils: /);
	t.regex(wrong[1]!, /^pending {2}QEMU: will be fetched into \S+\/cache$/);
	t.is(exitCode, 2);
});

test('a cache where make cannot build is said to be unfit, with 2', async t => {
	const {exitCode, wrong} = await diagnose(t, {qemu: '10.0.3', cache: 'a cache'});
	t.is(wrong.length, 1, wrong.join('\n'));
	t.regex(wrong[0]!, /^unfit {4}The cache .*\/a cache has a space in its path/);
	t.is(exitCode, 2);
});

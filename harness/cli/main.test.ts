// SPDX-License-Identifier: GPL-2.0
import {mkdtempDisposable} from 'node:fs/promises';
import {tmpdir} from 'node:os';
import path from 'node:path';
import test from 'ava';
import {execa} from 'execa';

const main = path.join(import.meta.dirname, 'main.js');

for (const cache of ['/proc/probe-matrix', '/etc/passwd/probe-matrix']) {
	test(`with an unusable cache at ${cache}, --help works and a run exits with an error`, async t => {
		const env = {PROBE_MATRIX_CACHE: cache};
		const run = async (...args: readonly string[]) =>
			execa(process.execPath, [main, ...args], {env, reject: false, timeout: 120_000});
		const help = await run('--help');
		t.is(help.exitCode, 0);
		t.regex(help.stdout, /^ {2}run +run the matrix/m);
		const failed = await run('run', '--kernel', 'debian-6.1');
		t.is(failed.exitCode, 2);
		t.regex(failed.stderr, /cache directory .* cannot be used/);
	});
}

/** Each with what it would say next about its own options, so that the order is seen. */
const inUnfitPlace = {
	'bisect --good 4.15.18 --bad debian-6.1 --match entry/flags --dry-run': 2,
	// `git bisect run` stops only at a status from 128.
	'bisect-step --linux /nowhere --match entry/flags': 128,
	'exec --kernel none true': 2,
	'nightly --known /nowhere': 2,
	'run --kernel none': 2,
	'selftest --kernel none': 2,
	'shell none': 2,
};

for (const [line, status] of Object.entries(inUnfitPlace))
	test(`in a cache where make cannot build, \`${line}\` says so before it looks at anything else`, async t => {
		await using directory = await mkdtempDisposable(path.join(tmpdir(), 'a place with spaces-'));
		const {exitCode, stdout, stderr} = await execa(process.execPath, [main, ...line.split(' ')], {
			...{env: {PROBE_MATRIX_CACHE: directory.path, GITHUB_ACTIONS: ''}, reject: false},
		});
		t.is(exitCode, status);
		t.regex(stderr, /^probe-matrix: The cache .* has a space in its path, and make cannot build there; /);
		t.is(stdout, '');
	});

const misspelt = {
	rnu: /unknown command 'rnu'\n\(Did you mean run\?\)/,
	'kernels lits': /unknown command 'lits'\n\(Did you mean list\?\)/,
	'run --kernl debian-6.1': /unknown option '--kernl'\n\(Did you mean --kernel\?\)/,
	'run --kernel debain-6.1': /Unknown kernel "debain-6\.1"; did you mean debian-6\.1\?/,
	'kernels fetch debain-6.1': /Unknown kernel "debain-6\.1"; did you mean debian-6\.1\?/,
	'run --kernel debian-6.1 --match entry/falgs': /No case matches entry\/falgs; did you mean entry\/flags\?/,
};

for (const [line, words] of Object.entries(misspelt))
	test(`\`${line}\` is answered with a suggestion`, async t => {
		const {exitCode, stderr} = await execa(process.execPath, [main, ...line.split(' ')], {reject: false});
		t.is(exitCode, 2);
		t.regex(stderr, words);
	});

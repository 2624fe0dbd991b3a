// SPDX-License-Identifier: GPL-2.0
import {mkdtempDisposable, readdir, readFile, writeFile} from 'node:fs/promises';
import {tmpdir} from 'node:os';
import path from 'node:path';
import test from 'ava';
import {git} from '../bisect/repository/git.ts';
import {runMake} from '../build/make.ts';
import {kbuild} from '../kernels/kbuild.ts';
import {hostEnvironment, programs} from './programs.ts';
import {forgetUnusableTemporary} from './temporary.ts';

/** What kernel developers have in their shells, and worse. */
const foreign = {
	...{
		LLVM: '1',
		ARCH: 'arm64',
		CROSS_COMPILE: 'aarch64-linux-gnu-',
		KBUILD_OUTPUT: '/nowhere',
		KCFLAGS: '-Werror -m32',
	},
	...{
		MAKEFLAGS: '-n',
		GNUMAKEFLAGS: '-n',
		MAKEFILES: '/nowhere/x.mk',
		CC: 'clang',
		KBUILD_BUILD_USER: 'me',
		CPATH: '/x',
	},
	...{GIT_DIR: '/nowhere', GIT_INDEX_FILE: '/nowhere', GIT_CONFIG_COUNT: '1', LANG: 'de_DE.UTF-8', LANGUAGE: 'de'},
	...{LC_MESSAGES: 'de_DE.UTF-8', GREP_OPTIONS: '--color=always', GREP_COLORS: 'x', TAR_OPTIONS: '--exclude=*'},
	...{XZ_OPT: '--keep', XZ_DEFAULTS: '--format=lzma', GZIP: '-1', TMPDIR: '/nowhere', LD_LIBRARY_PATH: '/x', V: '1'},
	...{
		O: '/nowhere',
		M: '/nowhere',
		LOCALVERSION: '-mine',
		KCONFIG_CONFIG: '/x',
		SOURCE_DATE_EPOCH: '1',
		BASH_ENV: '/x',
	},
};

function withForeign<T>(work: () => Promise<T>): Promise<T> {
	const before = {...process.env};
	Object.assign(process.env, foreign);
	return work().finally(() => {
		for (const name of Object.keys(foreign)) delete process.env[name];
		Object.assign(process.env, before);
	});
}

/** Names that a program sees, besides those that a shell sets by itself. */
const namesIn = (words: string) => words.split('\n').map(line => line.split('=', 1)[0]!);

test.serial("no variable of a person's shell reaches a program of the host", async t => {
	const {stdout} = await withForeign(async () => programs()('env'));
	const seen = namesIn(stdout);
	t.deepEqual(
		seen.filter(name => name in foreign),
		[],
	);
	t.true(seen.includes('PATH'));
	t.true(stdout.includes('LC_ALL=C'));
	const more = await programs()('env', {env: {MORE: 'x'}});
	t.true(more.stdout.includes('MORE=x') && more.stdout.includes('PATH='), 'what a call adds comes on top');
});

test.serial('neither the build of a kernel nor that of a module sees one', async t => {
	await using directory = await mkdtempDisposable(path.join(tmpdir(), 'programs-'));
	await writeFile(path.join(directory.path, 'Makefile'), 'all:\n\t@env > $(FILE)\n');
	const [kernel, module] = ['kernel', 'module'].map(name => path.join(directory.path, name)) as [string, string];
	const log = path.join(directory.path, 'log');
	const made = await withForeign(async () => {
		await kbuild({name: 'k', source: directory.path, output: directory.path, args: [`FILE=${kernel}`], log});
		return runMake({name: 'm', cwd: directory.path, command: ['make', `FILE=${module}`]});
	});
	t.is(made.failure, undefined);
	// Make passes its command line on in these.
	const ofMake = new Set(['MAKEFLAGS', 'O', 'LOCALVERSION', 'CC', 'KBUILD_BUILD_USER']);
	for (const file of [kernel, module]) {
		const text = await readFile(file, 'utf8');
		t.deepEqual(
			namesIn(text).filter(name => name in foreign && !ofMake.has(name)),
			[],
			text,
		);
		t.notRegex(text, /-mine|\/nowhere|clang|=me\b/);
	}
});

test('all programs of the host are started in that environment', async t => {
	const harness = path.join(import.meta.dirname, '..');
	const names = await readdir(harness, {recursive: true});
	const sources = names.filter(file => file.endsWith('.ts') && !/\.test\.ts$|^test\//.test(file));
	const starts: string[] = [];
	for (const file of sources) {
		const text = await readFile(path.join(harness, file), 'utf8');
		if (/from '(?:execa|node:child_process)'|import\('execa'\)/.test(text)) starts.push(file);
	}
	// The watch starts probe-matrix itself.
	t.deepEqual(starts.toSorted(), ['cli/watch.ts', 'host/programs.ts']);
});

test.serial('git works on the repository that it is given', async t => {
	await using directory = await mkdtempDisposable(path.join(tmpdir(), 'programs-'));
	await git(directory.path, ['init', '--quiet']);
	t.is(await withForeign(() => git(directory.path, ['rev-parse', '--git-dir'])), '.git');
});

test.serial('a TMPDIR that can be used is kept, another one is not', async t => {
	const before: string | undefined = process.env.TMPDIR;
	await using directory = await mkdtempDisposable(path.join(tmpdir(), 'programs-'));
	process.env.TMPDIR = directory.path;
	forgetUnusableTemporary();
	t.is(hostEnvironment().TMPDIR, directory.path);
	for (const bad of ['/nowhere', 'relative', '/proc/version']) {
		process.env.TMPDIR = bad;
		t.is(hostEnvironment().TMPDIR, undefined, bad);
		forgetUnusableTemporary();
		t.false('TMPDIR' in process.env, bad);
	}
	if (before === undefined) delete process.env.TMPDIR;
	else process.env.TMPDIR = before;
});

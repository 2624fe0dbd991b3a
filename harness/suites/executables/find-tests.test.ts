// SPDX-License-Identifier: GPL-2.0
import {appendFile, chmod, mkdir, mkdtempDisposable, rename, symlink, writeFile} from 'node:fs/promises';
import {tmpdir} from 'node:os';
import path from 'node:path';
import test, {type ExecutionContext} from 'ava';
import {pushedFiles} from '../../build/pushed-files.ts';
import {hashPlaces} from '../../build/sources.ts';
import {UsageError} from '../../host/errors.ts';
import {findTests} from './find-tests.ts';
import {readSettings} from './settings.ts';
import {executableSuite} from './suite.ts';

type Files = Readonly<Record<string, {readonly mode?: number; readonly text?: string}>>;

async function directoryWith(t: ExecutionContext, files: Files): Promise<string> {
	const {path: directory, remove} = await mkdtempDisposable(path.join(tmpdir(), 'tests-'));
	t.teardown(remove);
	for (const [name, {mode = 0o644, text = ''}] of Object.entries(files)) {
		const file = path.join(directory, name);
		await mkdir(path.dirname(file), {recursive: true});
		await writeFile(file, text);
		await chmod(file, mode);
	}
	return directory;
}

const script = {mode: 0o755, text: '#!/bin/sh\ntrue\n'};

test('executables are tests; other files, hidden ones and directories are not', async t => {
	const directory = await directoryWith(t, {
		...{'b.sh': script, a: {mode: 0o755, text: '\x7fELF'}, 'data.txt': {}, '.hidden': script, 'sub/c.sh': script},
	});
	t.deepEqual(findTests(directory), [{name: 'a'}, {name: 'b.sh', interpreter: '/bin/sh'}]);
});

test('a script that another one uses need not be executable, and neither need a file that is no script', async t => {
	const directory = await directoryWith(t, {
		'a.sh': {mode: 0o755, text: '#!/bin/sh\n. ./lib.sh\n'},
		'lib.sh': {text: '#!/bin/sh\n'},
		'words.txt': {text: 'one two'},
	});
	t.deepEqual(
		findTests(directory).map(({name}) => name),
		['a.sh'],
	);
});

test('all files are pushed, with their modes; a link to nowhere is not', async t => {
	const directory = await directoryWith(t, {'a.sh': script, 'sub/data': {mode: 0o600}});
	await symlink('nowhere', path.join(directory, 'dangling'));
	t.deepEqual(
		pushedFiles(directory, 'root/tests').map(({path: name, mode}) => [name, mode]),
		[
			['root/tests/a.sh', 0o755],
			['root/tests/sub/data', 0o600],
		],
	);
	t.is(findTests(directory).length, 1);
});

const wrong: readonly (readonly [what: string, files: Files, words: RegExp])[] = [
	['an empty directory', {}, /holds no tests: no file in it is executable\.$/],
	[
		'a script that is not executable',
		{'x.sh': {text: '#!/bin/sh\n'}},
		/x\.sh is a script, but not executable: chmod \+x it/,
	],
	[
		'a script that is not executable among others',
		{'a.sh': script, 'x.sh': {text: '#!/bin/sh\n'}},
		/x\.sh is a script, but not executable: chmod \+x it/,
	],
	[
		'a script that is not executable and that only a file names that is no script',
		{'a.sh': script, 'x.sh': {text: '#!/bin/sh\n'}, README: {text: 'x.sh tests x.\n'}, Makefile: {text: 'all: x.sh\n'}},
		/x\.sh is a script, but not executable: chmod \+x it/,
	],
	[
		'a script that is not executable and that only itself names',
		{'a.sh': script, 'x.sh': {text: '#!/bin/sh\n# Usage: x.sh\n'}},
		/x\.sh is a script, but not executable: chmod \+x it/,
	],
	['a name with a space', {'a b': script}, /a b cannot be the name of a case/],
	['a setting that is no number', {'a.sh': script, settings: {text: 'timeout=soon\n'}}, /timeout must be a number/],
	['a setting that is unknown', {'a.sh': script, settings: {text: 'limit=3\n'}}, /"limit=3" is neither/],
];

for (const [what, files, words] of wrong) {
	test(`${what} is a usage error`, async t => {
		const directory = await directoryWith(t, files);
		t.throws(() => executableSuite({modules: [], tests: directory}), {instanceOf: UsageError, message: words});
	});
}

test('a directory that is absent, and a module that is none, are usage errors', async t => {
	t.throws(() => executableSuite({modules: [], tests: '/nowhere'}), {
		instanceOf: UsageError,
		message: /cannot be read/,
	});
	const directory = await directoryWith(t, {'a.sh': script});
	t.throws(() => executableSuite({modules: ['/nowhere'], tests: directory}), {
		message: /There is no module in \/nowhere/,
	});
	t.throws(() => executableSuite({modules: [directory], tests: directory}), {
		message: /neither a Kbuild nor a Makefile/,
	});
	t.throws(() => executableSuite({modules: [path.join(directory, 'a.sh')]}), {message: /is no module/});
});

test('settings: kselftest has 45 s, and 0 is no limit', async t => {
	const settings = async (text: string) => readSettings(await directoryWith(t, {settings: {text}}));
	t.deepEqual(readSettings(await directoryWith(t, {})), {timeoutMs: 45_000, isShared: false});
	t.deepEqual(await settings('# a comment\ntimeout=3\nshare=yes\n'), {timeoutMs: 3000, isShared: true});
	t.true((await settings('timeout=0\n')).timeoutMs > 3_600_000);
});

test('each test is alone in its guest unless the settings let it share one', async t => {
	const alone = executableSuite({modules: [], tests: await directoryWith(t, {'a.sh': script})});
	t.true((await alone.cases())[0]?.isAlone);
	const files = {'a.sh': script, settings: {text: 'share=yes\n'}};
	const shared = executableSuite({modules: [], tests: await directoryWith(t, files)});
	t.false((await shared.cases())[0]?.isAlone);
});

test('each file of the tests and of the modules is part of the version of a suite', async t => {
	const tests = await directoryWith(t, {'a.sh': script, 'sub/data': {}, settings: {text: 'timeout=3\n'}});
	const module = await directoryWith(t, {Kbuild: {text: 'obj-m := m.o\n'}, 'm.c': {}, 'built.ko': {}});
	const version = () => hashPlaces(executableSuite({modules: [module, path.join(module, 'built.ko')], tests}).sources);
	const seen = [version()];
	t.deepEqual(seen, [version()]);
	for (const file of ['a.sh', 'sub/data', 'settings']) {
		await appendFile(path.join(tests, file), '# changed\n');
		seen.push(version());
	}
	for (const file of ['Kbuild', 'm.c', 'built.ko']) {
		await appendFile(path.join(module, file), '# changed\n');
		seen.push(version());
	}
	await rename(path.join(tests, 'a.sh'), path.join(tests, 'b.sh'));
	seen.push(version());
	t.is(new Set(seen).size, 8);
});

test('a file that anyone may execute is a test, and the interpreter may stand behind a blank', async t => {
	const directory = await directoryWith(t, {
		'c.sh': script,
		'b.sh': {mode: 0o654, text: '#! /bin/ash -e\n'},
		a: {mode: 0o645, text: '\x7fELF'},
	});
	t.deepEqual(findTests(directory), [
		{name: 'a'},
		{name: 'b.sh', interpreter: '/bin/ash'},
		{name: 'c.sh', interpreter: '/bin/sh'},
	]);
});

test('tests are in the order of their names', async t => {
	const directory = await directoryWith(t, Object.fromEntries(['d', 'b', 'a', 'c', 'e'].map(name => [name, script])));
	t.deepEqual(
		findTests(directory).map(({name}) => name),
		['a', 'b', 'c', 'd', 'e'],
	);
});

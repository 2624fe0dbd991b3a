// SPDX-License-Identifier: GPL-2.0
import {mkdir, mkdtempDisposable, writeFile} from 'node:fs/promises';
import {tmpdir} from 'node:os';
import path from 'node:path';
import test, {type ExecutionContext} from 'ava';
import {type CaseContext, defineCase} from '../../engine/case.ts';
import {UsageError} from '../../host/errors.ts';
import {assembleSuite, optionsFor} from './assemble-suite.ts';
import {casesOf, executableSuite} from './suite.ts';

const script = '#!/bin/sh\n';

/** A directory `name` with these files; those of scripts are executable. */
async function directoryWith(t: ExecutionContext, name: string, files: Readonly<Record<string, string>>) {
	const {path: above, remove} = await mkdtempDisposable(path.join(tmpdir(), 'suite-'));
	t.teardown(remove);
	const directory = path.join(above, name);
	for (const [file, text] of Object.entries(files)) {
		await mkdir(path.dirname(path.join(directory, file)), {recursive: true});
		await writeFile(path.join(directory, file), text, {mode: text.startsWith('#!') ? 0o755 : 0o644});
	}
	return directory;
}

test('a suite is named after its first module, or else after its tests', async t => {
	const tests = await directoryWith(t, 'own-tests', {'a.sh': script});
	const modules = await directoryWith(t, 'ring', {Kbuild: '', 'built.ko': ''});
	t.is(executableSuite({modules: [modules, path.join(modules, 'built.ko')], tests}).name, 'ring');
	t.is(executableSuite({modules: [path.join(modules, 'built.ko')]}).name, 'built');
	t.is(executableSuite({modules: [], tests}).name, 'own-tests');
});

test('the options that choose a suite are those of its modules and tests, quoted for a shell', async t => {
	const tests = await directoryWith(t, 'own tests', {'a.sh': script});
	t.deepEqual(optionsFor(['a', 'b.ko'], 't'), ['--module', 'a', '--module', 'b.ko', '--tests', 't']);
	t.deepEqual(optionsFor([], undefined), []);
	const parts = {name: 'a', modules: [], tests, cases: []};
	t.is(assembleSuite({...parts, options: optionsFor([], tests)}).options, `--tests '${tests}'`);
	t.false('options' in assembleSuite({...parts, options: []}));
});

test('the cases of tests are named after their directory, have the time of its settings and run there', async t => {
	const tests = await directoryWith(t, 'own', {'a.sh': script, settings: 'timeout=3\n'});
	const [first, ...others] = casesOf(tests);
	t.is(others.length, 0);
	t.like(first, {id: 'own/a.sh', deadlineMs: 3000});
	t.is(casesOf(tests, 'other')[0]?.id, 'other/a.sh');
	const commands: string[] = [];
	await first!.run({
		async stream(command: string) {
			commands.push(command);
			return {code: 0};
		},
	} as Partial<CaseContext> as CaseContext);
	t.deepEqual(commands, ["cd '/root/tests' && exec ./a.sh"]);
});

test('a directory whose name cannot be that of a suite is a usage error', async t => {
	const tests = await directoryWith(t, 'own tests', {'a.sh': script});
	t.throws(() => casesOf(tests), {instanceOf: UsageError, message: /own tests cannot be the name of a suite/});
});

test('tests are pushed without the repository that they are in, beside the other files', async t => {
	const tests = await directoryWith(t, 'own', {
		'a.sh': script,
		'.git/config': '',
		'sub/.git/config': '',
		'.gitignore': '',
	});
	const file = {path: 'root/built', source: path.join(tests, 'a.sh'), mode: 0o755};
	const {content} = assembleSuite({
		...{name: 'own', options: [], modules: [], tests, cases: []},
		files: async () => [file],
	});
	t.deepEqual(
		(await content.files({})).map(({path: each}) => each),
		['root/built', 'root/tests/.gitignore', 'root/tests/a.sh'],
	);
});

test('targets of several cases are there once, in the order of the cases', t => {
	const of = (id: string, targets: readonly string[]) => defineCase({id, targets, deadlineMs: 1, async run() {}});
	const {targets} = assembleSuite({
		...{name: 'own', options: [], modules: [], tests: undefined},
		cases: [of('a/b', ['c', 'asm']), of('a/c', ['asm', 'vmlinux'])],
	});
	t.deepEqual(targets, ['c', 'asm', 'vmlinux']);
});

// SPDX-License-Identifier: GPL-2.0
import {mkdir, mkdtempDisposable, readFile, writeFile} from 'node:fs/promises';
import {tmpdir} from 'node:os';
import path from 'node:path';
import test, {type ExecutionContext} from 'ava';
import {UsageError} from '../../host/errors.ts';
import {assembleSuite} from '../executables/assemble-suite.ts';
import {loadSuiteFile} from './load-suite.ts';

async function load(t: ExecutionContext, text: string, files: Readonly<Record<string, string>> = {}, given = {}) {
	const {path: directory, remove} = await mkdtempDisposable(path.join(tmpdir(), 'suite-'));
	t.teardown(remove);
	const all = {...files, 'package.json': '{"type": "module"}', 'probe-matrix.config.ts': text};
	for (const [name, content] of Object.entries(all)) {
		await mkdir(path.dirname(path.join(directory, name)), {recursive: true});
		await writeFile(path.join(directory, name), content, {mode: content.startsWith('#!') ? 0o755 : 0o644});
	}
	return loadSuiteFile(path.join(directory, 'probe-matrix.config.ts'), {modules: [], ...given});
}

const aCase = "export const one = {id: 'x/one', deadlineMs: 1, targets: ['b', 'a'], async run() {}};\n";

test('a suite has the cases of its files and its list', async t => {
	const suite = await load(
		t,
		"export default {name: 'x', cases: ['cases/*.ts', {id: 'x/two', deadlineMs: 1, async run() {}}], kernels: {tested: ['debian-5.10']}};",
		{'cases/one.ts': aCase},
	);
	t.deepEqual(
		(await suite.cases()).map(({id}) => id),
		['x/one', 'x/two'],
	);
	t.deepEqual(suite.targets, ['b', 'a'], 'in the order of the case');
	t.deepEqual(suite.kernels, {default: 'debian-6.1', tested: ['debian-5.10']});
	t.is(suite.options, undefined, 'it is found without an option');
	const [first] = suite.sources;
	t.deepEqual(
		suite.sources.map(source => path.relative(path.dirname(first!), source)),
		['probe-matrix.config.ts', 'cases/one.ts'],
	);
});

test('a suite may import probe-matrix where that is not installed', async t => {
	const suite = await load(t, "import {defineSuite} from 'probe-matrix'; export default defineSuite({name: 'x'});");
	t.is(suite.name, 'x');
});

test('modules and their parameters are those of the suite, unless others are given', async t => {
	const files = {'one/Kbuild': '', 'two/Kbuild': ''};
	const text = "export default {name: 'x', modules: ['one', {from: 'two', parameters: 'a=1'}]};";
	const own = (await load(t, text, files)).content.modules;
	t.deepEqual(
		own.map(({from, parameters}) => [path.basename(from), parameters]),
		[
			['one', undefined],
			['two', 'a=1'],
		],
	);
	const other = await load(t, text, files, {modules: [own[1]!.from]});
	t.deepEqual(other.content.modules, [{from: own[1]!.from}]);
	t.is(other.options, `--module ${own[1]!.from}`);
});

test('modules that are given are those of the current directory, and those of a suite lie beside it', async t => {
	const given = 'fixtures/example-module/module';
	const files = {[`${given}/Kbuild`]: ''};
	const text = `export default {name: 'x', modules: ['${given}']};`;
	const own = await load(t, text, files);
	const beside = path.join(path.dirname(own.sources[0]!), given);
	const other = await load(t, text, files, {modules: [given]});
	t.deepEqual(
		[own, other].map(({content}) => content.modules.map(({from}) => from)),
		[[beside], [path.resolve(given)]],
	);
	t.deepEqual(other.sources.slice(1), [path.resolve(given)]);
	t.is(other.options, `--module ${given}`);
	await t.throwsAsync(load(t, text, {...files, 'only-here/Kbuild': ''}, {modules: ['only-here']}), {
		instanceOf: UsageError,
		message: /There is no module in .*only-here/,
	});
});

const wrong: readonly (readonly [
	what: string,
	text: string,
	words: RegExp,
	files?: Readonly<Record<string, string>>,
])[] = [
	['that throws', "throw new Error('boo');", /cannot be loaded: boo$/],
	['that does not parse', 'export default {', /cannot be loaded: /],
	['that exports nothing', '', /exports no suite/],
	[
		'that exports two suites',
		"export default [{name: 'a'}, {name: 'b'}];",
		/it has to be one suite, made by defineSuite\.$/,
	],
	['with an unknown field', "export default {name: 'a', modles: []};", /"modles"/],
	['with a name that has a space', "export default {name: 'a b'};", /name is wrong: may have letters/],
	['with a module that is absent', "export default {name: 'a', modules: ['none']};", /There is no module in .*none/],
	['with a fragment that is absent', "export default {name: 'a', kconfig: 'none'};", /fragment cannot be read: .*none/],
	[
		'with a fragment that has a wrong line',
		"export default {name: 'a', kconfig: 'own'};",
		/own, line 1: "KASAN=y" is not an option/,
		{own: 'KASAN=y\n'},
	],
	[
		'with a case whose name has a space',
		"export default {name: 'a', cases: [{id: 'a/b c', deadlineMs: 1, async run() {}}]};",
		/a\/b c is not of the form suite\/name, of letters, digits and \._\+-\.$/,
	],
	[
		'with a case that is above its suite',
		"export default {name: 'a', cases: [{id: 'a/../b', deadlineMs: 1, async run() {}}]};",
		/a\/\.\.\/b is not of the form/,
	],
	[
		'with a target twice',
		"export default {name: 'a', cases: [{id: 'a/b', targets: ['x', 'x'], deadlineMs: 1, async run() {}}]};",
		/a\/b: the target x is there twice/,
	],
	['with a glob without files', "export default {name: 'a', cases: ['*.none']};", /\*\.none matches no file/],
	[
		'with a case without time',
		"export default {name: 'a', cases: [{id: 'a/b', deadlineMs: 0, async run() {}}]};",
		/the suite's cases\.0\.deadlineMs is wrong/,
	],
	[
		'with a case that has no target in its list',
		"export default {name: 'a', cases: [{id: 'a/b', targets: [], deadlineMs: 1, async run() {}}]};",
		/the suite's cases\.0\.targets is wrong/,
	],
	['with an empty command to build', "export default {name: 'a', build: []};", /the suite's build is wrong/],
	['with a file without cases', "export default {name: 'a', cases: ['c.ts']};", /exports no case/, {'c.ts': ''}],
	[
		'with a case that an executable is, too,',
		"export default {name: 'x', tests: 'tests', cases: [{id: 'x/one', deadlineMs: 1, async run() {}}]};",
		/the case x\/one is there twice/,
		{'tests/one': '#!/bin/sh\n'},
	],
	[
		'with a case twice',
		"import {one} from './c.ts'; export default {name: 'a', cases: ['c.ts', one]};",
		/the case x\/one is there twice/,
		{'c.ts': aCase},
	],
];

for (const [what, text, words, files] of wrong) {
	test(`a suite ${what} is a usage error`, async t => {
		await t.throwsAsync(load(t, text, files), {instanceOf: UsageError, message: words});
	});
}

test('tests that are given are those of the current directory, and those of a suite lie beside it', async t => {
	const text = "export default {name: 'x', tests: 'own'};";
	const files = {'own/one': '#!/bin/sh\n', 'other/two': '#!/bin/sh\n'};
	const ids = async (suite: Awaited<ReturnType<typeof load>>) => (await suite.cases()).map(({id}) => id);
	t.deepEqual(await ids(await load(t, text, files)), ['x/one']);
	const given = await ids(await load(t, text, files, {tests: 'fixtures/example-module/tests'}));
	t.deepEqual(given.toSorted(), ['x/fast.sh', 'x/on-and-off.sh', 'x/rejects.sh']);
});

test('the options of a fragment are those that its kernels must have, and its file is a source', async t => {
	const suite = await load(t, "export default {name: 'a', kconfig: 'own.config'};", {
		'own.config': '# why\nCONFIG_KASAN=y\n# CONFIG_SMP is not set\n',
	});
	const {fragment} = suite.content;
	t.deepEqual(Object.fromEntries(fragment!.options), {CONFIG_KASAN: 'y', CONFIG_SMP: 'n'});
	t.true(suite.sources.includes(fragment!.file));
	t.is(suite.modules!.at([]).fragment, fragment);
});

test('the tests of a suite are sources: a change of them makes another suite', t => {
	const {sources} = assembleSuite({
		name: 'a',
		options: [],
		modules: [],
		tests: '/tests',
		cases: [],
		sources: ['/a.ts'],
	});
	t.deepEqual(sources, ['/a.ts', '/tests']);
});

test('a build that fails is an error with its words, and a file that is absent is one', async t => {
	const built = await load(t, "export default {name: 'a', build: ['sh', '-c', 'echo no gcc; exit 3']};");
	await t.throwsAsync(built.content.files({}), {name: 'BuildError', message: /sh ended with 3\.\nno gcc/});
	for (const [program, words] of [
		['no-such-program', /The build of .* failed: .*no-such-program/],
		['sh', /The build of .* failed: .*SIGKILL/],
	] as const) {
		const none = await load(t, `export default {name: 'a', build: ['${program}', '-c', 'kill -9 $$']};`);
		await t.throwsAsync(none.content.files({}), {name: 'BuildError', message: words});
	}
	const absent = await load(t, "export default {name: 'a', files: ['none']};");
	await t.throwsAsync(absent.content.files({}), {name: 'UsageError', message: /there is no file none/});
});

test('a build runs beside the suite, before its files are taken', async t => {
	const suite = await load(
		t,
		"export default {name: 'a', build: ['sh', '-c', 'tr a-z A-Z < f > d/built'], files: ['d/built']};",
		{f: 'text', 'd/other': ''},
	);
	const [file] = await suite.content.files({});
	t.is(file?.path, 'root/built');
	t.is(await readFile(file!.source, 'utf8'), 'TEXT');
});

test('files go below /root, or where they are told to', async t => {
	const suite = await load(
		t,
		"export default {name: 'a', files: ['f', {from: 'f', to: 'd/g'}, {from: 'f', to: '/usr/bin/h'}, {from: 'f', to: '../../../tmp/i'}]};",
		{
			f: '',
		},
	);
	t.deepEqual(
		(await suite.content.files({})).map(file => file.path),
		['root/f', 'root/d/g', 'usr/bin/h', 'tmp/i'],
	);
});

test('of the modules of a suite, those that are built already have no history', async t => {
	const files = {'one/Kbuild': '', 'two.ko': '', 'three/Kbuild': ''};
	const {modules, content} = await load(t, "export default {name: 'x', modules: ['one', 'two.ko', 'three']};", files);
	const places = content.modules.map(({from}) => from);
	t.deepEqual(modules!.directories, [places[0], places[2]]);
	t.deepEqual(
		modules!.at(['/then/one', '/then/three']).modules.map(({from}) => from),
		['/then/one', places[1], '/then/three'],
	);
});

test('what a suite adds to the engine is passed on to it', async t => {
	const text =
		"export default {name: 'x', targets: ['z', 'y'], kernels: {default: 'debian-5.10'}, open() { return {one: 1}; }, async beforeCell() { return 2; }, async leftovers() { return ['three']; }};";
	const {targets, kernels, open, beforeCell, leftovers} = await load(t, text);
	t.deepEqual(targets, ['z', 'y']);
	t.deepEqual(kernels, {default: 'debian-5.10'});
	t.deepEqual(open?.({} as never), {one: 1});
	t.is(await beforeCell?.({} as never), 2);
	t.deepEqual(await leftovers?.({} as never), ['three']);
	const plain = await load(t, "export default {name: 'x'};");
	t.deepEqual(
		(['open', 'beforeCell', 'leftovers'] as const).filter(name => name in plain),
		[],
	);
});

test('a suite in a file of another name is chosen by that file, and one that is absent is a usage error', async t => {
	const {path: directory, remove} = await mkdtempDisposable(path.join(tmpdir(), 'suite-'));
	t.teardown(remove);
	const file = path.join(directory, 'own.mjs');
	await writeFile(file, "export default {name: 'x'};");
	t.is((await loadSuiteFile(file, {modules: []})).options, `--suite ${file}`);
	const absent = path.join(directory, 'absent.mjs');
	await t.throwsAsync(loadSuiteFile(absent, {modules: []}), {
		instanceOf: UsageError,
		message: `There is no ${absent}.`,
	});
});

test('of a long build that fails the last sixty lines are told', async t => {
	const suite = await load(t, "export default {name: 'a', build: ['sh', '-c', 'seq 100; exit 3']};");
	const error = await t.throwsAsync(suite.content.files({}), {name: 'BuildError'});
	const [, ...lines] = error!.message.split('\n');
	t.deepEqual(
		lines,
		Array.from({length: 60}, (_, n) => String(n + 41)),
	);
});

test('a build that is interrupted ends with the reason of that', async t => {
	const suite = await load(t, "export default {name: 'a', build: ['sh', '-c', 'true']};");
	const reason = new Error('interrupted by SIGINT');
	t.is(await t.throwsAsync(suite.content.files({signal: AbortSignal.abort(reason)})), reason);
});

test('files of cases are taken in the order of their names', async t => {
	const caseOf = (name: string) => `export const it = {id: 'x/${name}', deadlineMs: 1, async run() {}};\n`;
	const names = ['d', 'b', 'a', 'c', 'e'];
	const files = Object.fromEntries(names.map(name => [`cases/${name}.ts`, caseOf(name)]));
	const suite = await load(t, "export default {name: 'x', cases: ['cases/*.ts']};", files);
	t.deepEqual(
		(await suite.cases()).map(({id}) => id),
		['x/a', 'x/b', 'x/c', 'x/d', 'x/e'],
	);
});

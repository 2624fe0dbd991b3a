// SPDX-License-Identifier: GPL-2.0
import {mkdir, mkdtempDisposable, readdir, writeFile} from 'node:fs/promises';
import {tmpdir} from 'node:os';
import path from 'node:path';
import test from 'ava';
import {cacheDirectory} from '../host/cache.ts';
import {BuildError, UsageError} from '../host/errors.ts';
import {kbuild} from '../kernels/kbuild.ts';
import {readBareModule} from './bare-module.ts';
import {buildOnce, runMake} from './make.ts';

const cache = await mkdtempDisposable(path.join(tmpdir(), 'make-'));
process.env.PROBE_MATRIX_CACHE = cache.path;
test.after.always(() => cache.remove());

/** Builds a module against a kernel directory whose Makefile has this recipe for `modules`, with a file of words beside it. */
async function build(name: string, recipe: string, {isStrict = true, words = ''} = {}): Promise<string> {
	const tree = path.join(cache.path, name);
	await mkdir(tree, {recursive: true});
	await writeFile(path.join(tree, 'words'), words);
	await writeFile(path.join(tree, 'Makefile'), `modules:\n${recipe}`);
	return buildOnce({
		name,
		sources: ['kmod/bprobe.h'],
		tools: [],
		key: '',
		...(isStrict ? {} : {isStrict}),
		commands: async copy => [['make', '-C', tree, `M=${path.join(copy, 'kmod')}`, 'modules']],
		async deliver(copy, to) {
			await writeFile(path.join(to, 'bprobe.ko'), await readBareModule(path.join(copy, 'kmod/bprobe.ko')));
		},
	});
}

const trees = [
	[
		'configured-without-modules',
		"\t@echo 'The present kernel configuration has modules disabled.'\n",
		/modules disabled/,
	],
	['nothing-to-do', '\t@true\n', /made no bprobe\.ko/],
	[
		'another-architecture',
		"\t@echo '  CC [M]  kmod/entry.o'; mkdir -p $(M) && touch $(M)/bprobe.o\n",
		/CC \[M\] {2}kmod/,
	],
	['headers-alone', "\t@echo 'scripts/Makefile.modpost: no such file, skipped' >&2\n", /modpost: no such file/],
] as const;

for (const [name, recipe, words] of trees) {
	test(`a kernel directory (${name}) whose build ends without a module is told with make's last lines`, async t => {
		const error = await t.throwsAsync(build(name, recipe), {instanceOf: BuildError, message: words});
		t.regex(error!.message, /does not build: make ended with 0, but made no bprobe\.ko\.\n/);
		const kept = (await readdir(cacheDirectory('build'))).filter(each => each.startsWith(name));
		t.deepEqual(kept, [], 'nothing is kept of it');
	});
}

const made = "\t@echo 'int n;' | $(CC) -x c -c - -o $(M)/bprobe.ko\n";

const warnings = {
	modpost: 'WARNING: modpost: "no_such_symbol" [bprobe.ko] undefined!',
	objtool: 'kmod/stubs.o: warning: objtool: bp_return() falls through to next function',
	compiler: "kmod/entry.c:7:9: warning: unused variable 'n' [-Wunused-variable]",
	assembler: "kmod/stubs.S:9: Warning: found `lret'; assuming `lretl' was meant",
};

const says = '\t@test -e $(M)/.said || cat words >&2; touch $(M)/.said\n';

for (const [who, words] of Object.entries(warnings)) {
	test(`a warning of the ${who} fails the build, and again when make has nothing left to say`, async t => {
		for (const _ of [1, 2]) {
			const error = await t.throwsAsync(build(`warns-${who}`, says + made, {words}), {instanceOf: BuildError});
			t.true(error!.message.startsWith(`warns-${who} does not build: there are warnings\n`), error!.message);
			t.true(error!.message.includes(words), error!.message);
		}
	});
}

test('a build need not be strict about warnings', async t => {
	const directory = await build('lenient', says + made, {isStrict: false, words: Object.values(warnings).join('\n')});
	t.deepEqual(
		(await readdir(directory)).filter(name => !name.startsWith('.')),
		['bprobe.ko'],
	);
});

test('what make says beside is no warning', async t => {
	const words = 'warning: the compiler differs from the one used to build the kernel';
	const directory = await build('talks', says + made, {words});
	t.deepEqual(
		(await readdir(directory)).filter(name => !name.startsWith('.')),
		['bprobe.ko'],
	);
});

const hostFaults = [
	['kills make', '\t@kill -KILL $$PPID\n', /^it cannot be built here: make was killed by SIGKILL\./],
	[
		'kills the compiler',
		'\t@echo "  CC m.o"; echo "gcc: fatal error: Killed signal terminated program cc1"; exit 1\n',
		/^it cannot be built here: gcc: fatal error: Killed signal terminated program cc1\./,
	],
	[
		'has no memory',
		'\t@echo "m.c:1: error: no"; echo "as: m.o: Cannot allocate memory"; exit 1\n',
		/^it cannot be built here: as: m\.o: Cannot allocate memory\./,
	],
	[
		'has a full disk',
		'\t@echo "fatal error: error writing to m.s: No space left on device"; exit 1\n',
		/^There is no space left on the disk that holds /,
	],
] as const;

for (const [what, recipe, words] of hostFaults) {
	test(`a host that ${what} is the first reason, and no fault of the module or the kernel`, async t => {
		const {path: directory, remove} = await mkdtempDisposable(path.join(tmpdir(), 'fault-'));
		t.teardown(remove);
		await writeFile(path.join(directory, 'Makefile'), `all:\n${recipe}`);
		const log = path.join(directory, 'log');
		const given = {instanceOf: UsageError, message: words};
		await t.throwsAsync(runMake({name: 'it', cwd: directory, command: ['make']}), given);
		await t.throwsAsync(kbuild({name: 'it', source: directory, output: directory, args: [], log}), given);
	});
}

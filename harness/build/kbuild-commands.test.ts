// SPDX-License-Identifier: GPL-2.0
import {mkdir, mkdtempDisposable, readdir, readFile, rm, writeFile} from 'node:fs/promises';
import {tmpdir} from 'node:os';
import path from 'node:path';
import test from 'ava';
import {execa} from 'execa';
import {kbuildCommands} from './kbuild-commands.ts';
import type {Command} from './make.ts';

/**
 * Calls itself as kbuild does: probes the compiler, passes on what it found, and builds by two calls of a Makefile in
 * scripts/, the first of which calls another one.
 */
const kernel = {
	Makefile: `export PROBED := $(shell echo probed >>$(M)/probes; echo "it's so")
modules:
	@$(MAKE) -f scripts/Makefile.build obj="$(M)"
	@$(MAKE) -f scripts/Makefile.modpost obj="$(M)"
`,
	'scripts/Makefile.build': `all:
	@echo "built $$PROBED" >>$(obj)/said
	@test ! -e $(obj)/broken
	@$(MAKE) -f scripts/Makefile.inner obj="$(obj)"
`,
	'scripts/Makefile.inner': 'all:\n\t@echo inner >>$(obj)/said\n',
	'scripts/Makefile.modpost': 'all:\n\t@echo linked >>$(obj)/said\n',
};

async function openTree() {
	const tree = await mkdtempDisposable(path.join(tmpdir(), 'kbuild-'));
	const [source, directory] = ['kernel', 'module'].map(name => path.join(tree.path, name)) as [string, string];
	await mkdir(path.join(source, 'scripts'), {recursive: true});
	await mkdir(directory);
	for (const [name, text] of Object.entries(kernel)) await writeFile(path.join(source, name), text);
	const run = async (command: Command) => {
		const [program, ...args] = command;
		const {exitCode} = await execa(program!, args, {reject: false, cwd: directory});
		return exitCode;
	};
	const said = async () => (await readFile(path.join(directory, 'said'), 'utf8')).trimEnd().split('\n');
	return {
		...{directory, run, said},
		build: (isRestart = false) =>
			kbuildCommands({directory, make: ['make'], args: ['-C', source, `M=${directory}`, 'modules'], isRestart}),
		probes: async () => (await readFile(path.join(directory, 'probes'), 'utf8')).trimEnd().split('\n').length,
		clear: () => rm(path.join(directory, 'said')),
		[Symbol.asyncDispose]: () => tree.remove(),
	};
}

const whole = ["built it's so", 'inner', 'linked'];

test('after a whole build, only its calls of kbuild are repeated, in their order and with what they were given', async t => {
	await using tree = await openTree();
	for (let n = 0; n < 3; n++) {
		const commands = await tree.build();
		t.is(commands.length, 1);
		t.is(await tree.run(commands[0]!), 0);
		t.deepEqual(await tree.said(), whole);
		// The compiler was probed once.
		t.is(await tree.probes(), 1);
		await tree.clear();
	}
	t.is((await readdir(path.join(tree.directory, '.recorded'))).length, 2);
});

test('a restart is a whole build, which is recorded anew', async t => {
	await using tree = await openTree();
	await tree.run((await tree.build())[0]!);
	t.is(await tree.run((await tree.build(true))[0]!), 0);
	t.is(await tree.probes(), 2);
	t.is((await readdir(path.join(tree.directory, '.recorded'))).length, 2);
});

test('a call that fails is the last', async t => {
	await using tree = await openTree();
	await tree.run((await tree.build())[0]!);
	await tree.clear();
	await writeFile(path.join(tree.directory, 'broken'), '');
	t.not(await tree.run((await tree.build())[0]!), 0);
	t.deepEqual(await tree.said(), whole.slice(0, 1));
});

test('a build that recorded nothing is a whole one the next time', async t => {
	await using tree = await openTree();
	// It was killed before its first call of kbuild.
	await tree.build();
	t.is(await tree.run((await tree.build())[0]!), 0);
	t.deepEqual(await tree.said(), whole);
});

// SPDX-License-Identifier: GPL-2.0
import {mkdir, mkdtempDisposable, readdir, readFile, readlink, symlink, writeFile} from 'node:fs/promises';
import {tmpdir} from 'node:os';
import path from 'node:path';
import test from 'ava';
import {BuildError} from '../host/errors.ts';
import {assembleModuleTree, proveModuleTree} from './module-tree.ts';

async function writeFiles(directory: string, files: Readonly<Record<string, string>>): Promise<void> {
	for (const [name, text] of Object.entries(files)) {
		await mkdir(path.dirname(path.join(directory, name)), {recursive: true});
		await writeFile(path.join(directory, name), text);
	}
}

/** All files below a directory, and links. */
async function filesBelow(directory: string): Promise<readonly string[]> {
	const entries = await readdir(directory, {recursive: true, withFileTypes: true});
	return entries
		.filter(entry => !entry.isDirectory())
		.map(entry => path.relative(directory, path.join(entry.parentPath, entry.name)))
		.toSorted();
}

const kept = {
	source: [
		...['Makefile', 'Kbuild', 'include/linux/module.h', 'scripts/Makefile.build', 'arch/x86/include/asm/io.h'],
		...['ubuntu/include/own.h', 'arch/x86/Makefile', 'arch/x86/Makefile.um', 'arch/x86/Makefile_32.cpu'],
		...['arch/x86/Makefile.cpu', 'arch/x86/Makefile.postlink', 'arch/x86/Kbuild'],
	],
	build: [
		...['.config', 'Module.symvers', 'System.map', 'include/generated/autoconf.h', 'scripts/mod/modpost'],
		...['arch/x86/include/generated/asm/a.h', 'arch/x86/module.lds', 'tools/objtool/objtool'],
	],
};

test('a module tree has the headers, makefiles and tools that modules are built with, and nothing else', async t => {
	await using directory = await mkdtempDisposable(path.join(tmpdir(), 'modules-'));
	const [source, build, to] = ['source', 'build', 'to'].map(name => path.join(directory.path, name)) as [
		string,
		string,
		string,
	];
	const named = (names: readonly string[], text: string) => Object.fromEntries(names.map(name => [name, text]));
	await writeFiles(source, {
		...named(kept.source, 'source'),
		...named(
			['kernel/fork.c', 'arch/x86/kernel/a.c', 'Documentation/x', '.git/HEAD', 'scripts/dtc/dtc.c', 'ubuntu/own.c'],
			'source',
		),
		'include/both.h': 'source',
	});
	await writeFiles(build, {
		...named(kept.build, 'build'),
		...named(['vmlinux', 'kernel/fork.o', 'scripts/mod/modpost.o', 'scripts/mod/.modpost.cmd', 'include/a.d'], 'build'),
		...named(['tools/objtool/check.o', 'arch/x86/boot/bzImage'], 'build'),
		'include/both.h': 'build',
	});
	await symlink('module.h', path.join(source, 'include/linux/link.h'));
	await symlink(source, path.join(build, 'include/source'));
	await assembleModuleTree(source, build, to);
	const expected = [...kept.source, ...kept.build, 'include/both.h', 'include/linux/link.h'];
	t.deepEqual(await filesBelow(to), expected.toSorted());
	t.is(await readFile(path.join(to, 'include/both.h'), 'utf8'), 'build', 'what was made wins');
	t.is(await readlink(path.join(to, 'include/linux/link.h')), 'module.h', 'the tree may be moved');
});

test('a tree against which a module can be built is proved in a directory that is gone afterwards', async t => {
	await using directory = await mkdtempDisposable(path.join(tmpdir(), 'modules-'));
	const inside = (name: string) => path.join(directory.path, name);
	await writeFiles(directory.path, {
		'tree/Makefile': `modules:\n\techo $(WORD) >${inside('word')}\n\tcat $(M)/proof.c $(M)/Makefile >$(M)/proof.ko\n\tcp $(M)/proof.ko ${inside('')}\n`,
		'scratch/other': '',
	});
	const options = {scratch: inside('scratch'), args: ['WORD=own']};
	await proveModuleTree(inside('tree'), options);
	t.is(await readFile(inside('word'), 'utf8'), 'own\n');
	const text = await readFile(inside('proof.ko'), 'utf8');
	t.regex(text, /MODULE_LICENSE\("GPL"\)/);
	t.regex(text, /^obj-m := proof\.o$/m);
	t.deepEqual(await readdir(inside('scratch')), ['other']);
});

for (const [what, recipe] of [
	['whose make fails', '\t@touch $(M)/proof.ko; for n in $$(seq 1 40); do echo "line $$n"; done; exit 1\n'],
	['whose make does nothing', '\t@for n in $$(seq 1 40); do echo "line $$n"; done\n'],
] as const) {
	test(`a tree ${what} is told with the end of what make said`, async t => {
		await using directory = await mkdtempDisposable(path.join(tmpdir(), 'modules-'));
		const tree = path.join(directory.path, 'tree');
		await writeFiles(tree, {Makefile: `modules:\n${recipe}`});
		const proved = proveModuleTree(tree, {scratch: directory.path, args: []});
		const {message} = (await t.throwsAsync(proved, {instanceOf: BuildError}))!;
		t.true(message.startsWith(`No module can be built against ${tree}:\n`), message);
		t.regex(message, /^line 40$/m);
		t.is(message.split('\n').length, 31);
		t.deepEqual(await readdir(directory.path), ['tree']);
	});
}

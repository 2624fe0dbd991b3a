// SPDX-License-Identifier: GPL-2.0
import {existsSync} from 'node:fs';
import {mkdir, mkdtempDisposable, readdir, readFile, rename, rm, writeFile} from 'node:fs/promises';
import {tmpdir} from 'node:os';
import path from 'node:path';
import test, {type ExecutionContext} from 'ava';
import {execa} from 'execa';
import {BuildError, UsageError} from '../host/errors.ts';
import {captureStderr} from '../test/capture-stderr.ts';
import {writeProgram} from '../test/write-program.ts';
import {obtainKernel} from './obtain.ts';
import {KernelUnavailableError} from './unavailable.ts';
import {essentials} from './whole-tree.ts';

// The parts of a kernel's Makefile that the harness uses. `built` counts builds in a file outside of the tree.
const makefile = `VERSION = 4
PATCHLEVEL = 15
SUBLEVEL = 18
EXTRAVERSION =
allnoconfig:
	cp $(KCONFIG_ALLCONFIG) $(O)/.config
bzImage:
	@echo '  CC      kernel/a.o'
	@! test -e .config
	@cat kernel/a.c
	@sh kernel/a.c
	@mkdir -p $(O)/arch/x86/boot $(O)/include/config
	@echo built >> $(COUNT)
	@touch $(O)/vmlinux $(O)/System.map $(O)/Module.symvers $(O)/arch/x86/boot/bzImage
	@echo 4.15.18 > $(O)/include/config/kernel.release
modules:
	@touch $(M)/proof.ko
mrproper:
	@rm -f .config
`;

type World = {readonly tree: string; readonly cache: string; readonly count: () => Promise<number>};

/** A tree and a private cache. PROBE_MATRIX_CACHE is global, so the tests are serial. */
async function world(t: ExecutionContext, files: Readonly<Record<string, string>> = {}): Promise<World> {
	const directory = await mkdtempDisposable(path.join(tmpdir(), 'build-'));
	t.teardown(() => directory.remove());
	const tree = path.join(directory.path, 'linux');
	// Programs of the host get no other variables of ours.
	const counter = path.join(directory.path, 'count');
	const all = {
		...Object.fromEntries(essentials.map(file => [file, ''])),
		Makefile: makefile,
		'arch/x86/Makefile': '',
		'kernel/a.c': 'true',
		Kconfig: 'config KPROBES\n',
		...files,
	};
	for (const [file, text] of Object.entries(all)) {
		await mkdir(path.dirname(path.join(tree, file)), {recursive: true});
		await writeFile(path.join(tree, file), text.replaceAll('$(COUNT)', counter));
	}
	const cache = path.join(directory.path, 'cache');
	process.env.PROBE_MATRIX_CACHE = cache;
	const count = async () => (existsSync(counter) ? (await readFile(counter, 'utf8')).split('\n').length - 1 : 0);
	return {tree, cache, count};
}

test.serial('a kernel that was built but does not boot is not kept', async t => {
	const {tree, cache} = await world(t);
	const proved: string[] = [];
	const obtain = async (fault?: Error) =>
		obtainKernel('4.15.18', {
			source: tree,
			async prove({bzImage}) {
				t.true(existsSync(bzImage));
				proved.push(bzImage);
				if (fault) throw fault;
			},
		});
	await t.throwsAsync(obtain(new BuildError('of no use')), {instanceOf: BuildError, message: 'of no use'});
	t.deepEqual(await readdir(path.join(cache, 'built')), []);
	const kernel = await obtain();
	t.true(existsSync(kernel.bzImage));
	await obtain();
	t.is(proved.length, 2, 'what lies in the cache is not proved again');
});

test.serial('a kernel is built once, outside of its tree, and then found by its id', async t => {
	const {tree, cache, count} = await world(t);
	const before = await readdir(tree, {recursive: true});
	const kernel = await obtainKernel('4.15.18', {source: tree});
	t.like(kernel, {id: '4.15.18', release: '4.15.18', flavour: 'base', origin: `Linux 4.15.18 from ${tree}`});
	t.true([kernel.bzImage, kernel.symbols!, kernel.config, kernel.kallsyms!].every(file => existsSync(file)));
	t.deepEqual(await readdir(tree, {recursive: true}), before);
	t.deepEqual(await obtainKernel('4.15.0-72-generic'), kernel);
	t.deepEqual(await obtainKernel('4.15.18', {source: tree}), kernel);
	t.is(await count(), 1);
	t.deepEqual(await readdir(path.join(cache, 'work')), []);
});

test.serial('a kernel that was built with an older recipe is built again', async t => {
	const {tree, cache} = await world(t);
	await obtainKernel('4.15.18', {source: tree});
	const memo = path.join(cache, 'kernels/4.15.18.source.json');
	await writeFile(memo, (await readFile(memo, 'utf8')).replace(/"recipe": "\w+"/, '"recipe": "older"'));
	await rename(tree, `${tree}.gone`);
	process.env.PROBE_MATRIX_KERNEL_MIRROR = 'http://127.0.0.1:9';
	await t.throwsAsync(obtainKernel('4.15.18'), {instanceOf: KernelUnavailableError});
});

test.serial('another compiler builds another kernel', async t => {
	const {tree, count} = await world(t);
	const before = await obtainKernel('4.15.18', {source: tree});
	const newer = path.join(path.dirname(tree), 'newer');
	await mkdir(newer);
	await writeProgram(path.join(newer, 'gcc'), '#!/bin/sh\necho gcc of tomorrow\n');
	const {PATH} = process.env;
	process.env.PATH = `${newer}:${PATH}`;
	try {
		t.not((await obtainKernel('4.15.18', {source: tree})).bzImage, before.bzImage);
	} finally {
		process.env.PATH = PATH;
	}
	t.is(await count(), 2);
});

test.serial('a flavour is a kernel of its own, built from the last tree; a changed tree is built again', async t => {
	const {tree, count} = await world(t);
	const base = await obtainKernel('4.15.18', {source: tree});
	const flavoured = await obtainKernel('4.15.18+nopreempt');
	t.not(flavoured.bzImage, base.bzImage);
	t.regex(await readFile(flavoured.config, 'utf8'), /# CONFIG_PREEMPT is not set/);
	await writeFile(path.join(tree, 'kernel/a.c'), 'true # changed');
	const changed = await obtainKernel('4.15.18', {source: tree});
	t.not(changed.bzImage, base.bzImage);
	t.is(await count(), 3);
});

test.serial(
	'a fragment is part of the configuration and of the name; each is found again without its tree',
	async t => {
		const {tree, count} = await world(t);
		const fragment = {
			file: 'own.config',
			options: new Map([
				['CONFIG_KPROBES', 'y'],
				['CONFIG_OWN', '18'],
			]),
		};
		const base = await obtainKernel('4.15.18', {source: tree});
		const own = await obtainKernel('4.15.18', {source: tree, fragment});
		t.not(path.dirname(own.bzImage), path.dirname(base.bzImage));
		t.is(own.id, base.id);
		t.regex(await readFile(own.config, 'utf8'), /^CONFIG_OWN=18$/m);
		await rename(tree, `${tree}.gone`);
		t.deepEqual(await obtainKernel('4.15.18', {fragment}), own);
		t.deepEqual(await obtainKernel('4.15.18'), base);
		t.is(await count(), 2);
	},
);

test.serial('options of a fragment that a kernel does not take fail it before it is compiled', async t => {
	const {tree, count} = await world(t, {
		Makefile: makefile.replace('cp $(KCONFIG_ALLCONFIG)', 'sed /CONFIG_OWN/d $(KCONFIG_ALLCONFIG) >'),
	});
	const fragment = {
		file: 'own.config',
		options: new Map([
			['CONFIG_KPROBES', 'y'],
			['CONFIG_OWN', 'y'],
		]),
	};
	for (const attempt of ['first', 'second'])
		await t.throwsAsync(
			obtainKernel('4.15.18', {source: tree, fragment}),
			{
				instanceOf: BuildError,
				message: 'Linux 4.15.18 does not have CONFIG_OWN=y (it is n), as own.config asks.',
			},
			attempt,
		);
	t.is(await count(), 0);
});

test.serial('two processes that want the same kernel build it once', async t => {
	const {tree, count} = await world(t, {'kernel/a.c': 'sleep 1'});
	const script = `import {obtainKernel} from '${path.resolve('harness/kernels/obtain.ts')}';
		console.log((await obtainKernel('4.15.18', {source: '${tree}'})).bzImage);`;
	const run = () => execa(process.execPath, ['--input-type=module', '--eval', script]);
	const [first, second] = await Promise.all([run(), run()]);
	t.is(first.stdout, second.stdout);
	t.is(await count(), 1);
});

test.serial(
	'an interrupt while a kernel is configured does not leave a configuration that nobody has checked',
	async t => {
		const {tree, cache, count} = await world(t, {
			Makefile: makefile.replace(
				'cp $(KCONFIG_ALLCONFIG) $(O)/.config',
				'sed /CONFIG_KPROBES=y/d $(KCONFIG_ALLCONFIG) >$(O)/.config; ! mkdir $(COUNT).begun 2>&1 || exec sleep 600',
			),
		});
		const interrupt = new AbortController();
		const configuring = obtainKernel('4.15.18', {source: tree, signal: interrupt.signal});
		const begun = path.join(path.dirname(tree), 'count.begun');
		while (!existsSync(begun)) await new Promise(resolve => setTimeout(resolve, 20));
		interrupt.abort(new Error('interrupted'));
		await t.throwsAsync(configuring, {message: 'interrupted'});
		const names = await readdir(path.join(cache, 'work'), {recursive: true});
		t.deepEqual(
			names.filter(name => path.basename(name) === '.config'),
			[],
		);
		await t.throwsAsync(obtainKernel('4.15.18', {source: tree}), {
			instanceOf: UsageError,
			message: /does not take CONFIG_KPROBES=y/,
		});
		t.is(await count(), 0);
	},
);

test.serial("a kernel that does not compile fails with the compiler's output and is not cached", async t => {
	const {tree, cache} = await world(t, {
		'kernel/a.c': [
			'echo "kernel/a.c:1:1: error: what is this"',
			...Array.from({length: 10}, (_, n) => `echo "  note ${n}"`),
			'exit 1',
		].join('\n'),
	});
	const error = await t.throwsAsync(obtainKernel('4.15.18', {source: tree}), {instanceOf: BuildError});
	t.regex(error.message, /Linux 4\.15\.18 does not build: make ended with 2[\s\S]*error: what is this/);
	t.notRegex(error.message, / {2}CC /);
	t.deepEqual(await readdir(path.join(cache, 'built')), []);
});

test.serial('when make goes on for long after the first error, that error and what follows it are told', async t => {
	const {tree} = await world(t, {
		'kernel/a.c': [
			'for n in $(seq 0 99); do echo "  before $n"; done',
			// The tree prints this file, too.
			"printf 'kernel/a.c:1:1: %s: what is this\\n' error",
			'for n in $(seq 0 199); do echo "  note $n"; done',
			'exit 1',
		].join('\n'),
	});
	const {message} = (await t.throwsAsync(obtainKernel('4.15.18', {source: tree}), {instanceOf: BuildError}))!;
	t.regex(message, /error: what is this\n {2}note 0\n {2}note 1\n/);
	t.notRegex(message, /before 0\n|note 199/);
	const log = await readFile(/The whole log is (.+)\.$/m.exec(message)![1]!, 'utf8');
	t.regex(log, / before 0\n[\s\S]*error: what is this\n[\s\S]* note 199\n/);
});

test.serial('objects compiled before an interruption are reused', async t => {
	const {tree, cache} = await world(t, {'kernel/a.c': 'test -e $O/first && exit 0; touch $O/first; sleep 600'});
	const controller = new AbortController();
	const building = obtainKernel('4.15.18', {source: tree, signal: controller.signal});
	const work = async () => {
		const directory = path.join(cache, 'work');
		const names = existsSync(directory) ? await readdir(directory) : [];
		return names.some(name => existsSync(path.join(directory, name, 'build/first')));
	};
	while (!(await work())) await new Promise(resolve => setTimeout(resolve, 20));
	controller.abort();
	await t.throwsAsync(building);
	t.true(existsSync((await obtainKernel('4.15.18', {source: tree})).bzImage));
});

test.serial('options that the kernel knows but does not take are named', async t => {
	const {tree, cache} = await world(t, {
		Makefile: makefile.replace('cp $(KCONFIG_ALLCONFIG)', 'sed /CONFIG_KPROBES=y/d $(KCONFIG_ALLCONFIG) >'),
	});
	for (const attempt of ['first', 'second'])
		await t.throwsAsync(
			obtainKernel('4.15.18', {source: tree}),
			{
				instanceOf: UsageError,
				message: /does not take CONFIG_KPROBES=y \(it is n\) from images\/kconfig/,
			},
			attempt,
		);
	t.deepEqual(await readdir(path.join(cache, 'built')), []);
});

test.serial('a tree that was built in is cleaned in a copy', async t => {
	const products = [
		'vmlinux',
		'System.map',
		'Module.symvers',
		'arch/x86/boot/bzImage',
		'include/config/kernel.release',
	];
	for (const [what, files] of [
		['half built', []],
		['built', products],
	] as const) {
		const built = Object.fromEntries(files.map(file => [file, '']));
		const {tree} = await world(t, {'.config': 'CONFIG_OLD=y\n', ...built});
		await t.notThrowsAsync(obtainKernel('4.15.18', {source: tree}), what);
		t.is(await readFile(path.join(tree, '.config'), 'utf8'), 'CONFIG_OLD=y\n');
	}
});

test.serial('a tree that was given by a relative path is found again from another directory', async t => {
	const {tree} = await world(t);
	await obtainKernel('4.15.18', {source: path.relative(process.cwd(), tree)});
	// A thread of tests cannot go elsewhere, so this looks at the name that is kept.
	const flavoured = await obtainKernel('4.15.18+nopreempt');
	t.is(flavoured.origin, `Linux 4.15.18 from ${tree}`);
});

test.serial('a tree against which no module can be built is rejected', async t => {
	const {tree, cache} = await world(t, {
		Makefile: makefile.replace('touch $(M)/proof.ko', 'echo no such header; exit 1'),
	});
	await t.throwsAsync(obtainKernel('4.15.18', {source: tree}), {
		instanceOf: BuildError,
		message: /No module can be built[\s\S]*no such header/,
	});
	t.deepEqual(await readdir(path.join(cache, 'built')), []);
});

for (const [how, ends] of [
	['fails', 'exit 1'],
	['is interrupted', 'exec sleep 600'],
] as const)
	test.serial(`when the proof of a module tree ${how}, the next attempt goes on from what was compiled`, async t => {
		const {tree, cache} = await world(t, {
			'kernel/a.c': 'test -e $O/a.o || { touch $O/a.o; echo compiled >>$(COUNT).compilations; }',
			Makefile: makefile.replace(
				'touch $(M)/proof.ko',
				`if mkdir $(COUNT).begun 2>/dev/null; then ${ends}; fi; touch $(M)/proof.ko`,
			),
		});
		const interrupt = new AbortController();
		const building = obtainKernel('4.15.18', {source: tree, signal: interrupt.signal});
		const counter = path.join(path.dirname(tree), 'count');
		while (!existsSync(`${counter}.begun`)) await new Promise(resolve => setTimeout(resolve, 20));
		if (how === 'is interrupted') interrupt.abort(new Error('interrupted'));
		await t.throwsAsync(building, {message: how === 'fails' ? /No module can be built/ : 'interrupted'});
		const left = await readdir(path.join(cache, 'work'));
		t.is(left.length, 1);
		t.true(existsSync(path.join(cache, 'work', left[0]!, 'build/a.o')), left[0]);
		t.false(left[0]!.endsWith('.away'));
		t.true(existsSync((await obtainKernel('4.15.18', {source: tree})).bzImage));
		t.is(await readFile(`${counter}.compilations`, 'utf8'), 'compiled\n');
		t.deepEqual(await readdir(path.join(cache, 'work')), []);
	});

test.serial('an incomplete tree is rejected with a missing file before anything is built', async t => {
	const {tree, cache, count} = await world(t);
	await rm(path.join(tree, 'scripts/Makefile.clean'));
	const refused = async (id: string) => t.throwsAsync(obtainKernel(id, {source: tree}), {instanceOf: UsageError});
	t.is(
		(await refused('4.15.18'))?.message,
		`${tree} is not a whole tree of Linux 4.15.18: it has no scripts/Makefile.clean of the files that every build needs. Unpack or check it out again.`,
	);
	await rm(path.join(tree, 'kernel/Makefile'));
	t.regex((await refused(tree))!.message, /it has no kernel\/Makefile and 1 more of the files/);
	t.is(await count(), 0);
	t.false(existsSync(path.join(cache, 'built')));
});

test.serial('the tree of the last build is used again while it has that version, and the person is told', async t => {
	const {tree, count} = await world(t);
	process.env.PROBE_MATRIX_KERNEL_MIRROR = 'http://127.0.0.1:9';
	await obtainKernel('4.15.18', {source: tree});
	const said = await captureStderr(() => obtainKernel('4.15.18+nopreempt'));
	t.true(said.includes(`probe-matrix: 4.15.18+nopreempt: from ${tree}, as last time.\n`), said);
	t.is(await count(), 2);
	await writeFile(path.join(tree, 'Makefile'), makefile.replace('SUBLEVEL = 18', 'SUBLEVEL = 19'));
	const refused = await captureStderr(() =>
		t.throwsAsync(obtainKernel('4.15.18+debug'), {instanceOf: KernelUnavailableError}),
	);
	const words = `the tree of last time cannot be used: ${tree} is Linux 4.15.19, but Linux 4.15.18 was requested.`;
	t.true(refused.includes(`probe-matrix: 4.15.18+debug: ${words}\n`), refused);
	t.is(await count(), 2);
});

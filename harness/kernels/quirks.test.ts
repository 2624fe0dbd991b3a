// SPDX-License-Identifier: GPL-2.0
import {mkdir, mkdtempDisposable, readFile, writeFile} from 'node:fs/promises';
import {tmpdir} from 'node:os';
import path from 'node:path';
import test from 'ava';
import rows from '../../images/quirks.json' with {type: 'json'};
import {compareReleases, isRelease, releaseName} from './kernel-version.ts';
import {type Quirk, quirksOf} from './quirks.ts';
import {recipeOf} from './recipe.ts';
import {applyReplacements} from './source-tree.ts';

const row: Quirk = {from: '4.15', before: '5.2', reason: 'for the test'};

for (const [version, isIn] of [
	['4.14.336', false],
	['4.15-rc1', false],
	['4.15', true],
	['4.15.18', true],
	['5.1.21', true],
	['5.2-rc7', true],
	['5.2', false],
	['5.10', false],
	['10.0', false],
] as const) {
	test(`a quirk from 4.15 before 5.2 does ${isIn ? '' : 'not '}apply to ${version}`, t => {
		t.is(quirksOf(version, 'base', [row]).length, isIn ? 1 : 0);
	});
}

for (const quirk of rows) {
	test(`the quirk from ${quirk.from} before ${quirk.before} has a range and a reason: ${quirk.reason}`, t => {
		t.true(isRelease(quirk.from) && isRelease(quirk.before));
		t.true(compareReleases(quirk.from, quirk.before) < 0);
		t.true(quirk.reason.length > 10);
	});
}

test('a quirk for one flavour does not apply to others', t => {
	const orc = {...row, flavours: ['orc']};
	t.deepEqual(quirksOf('4.15.18', 'orc', [row, orc]), [row, orc]);
	t.deepEqual(quirksOf('4.15.18', 'base', [row, orc]), [row]);
});

test('versions are compared numerically, and 4.15 equals 4.15.0', t => {
	t.is(compareReleases('4.15', '4.15.0'), 0);
	t.true(compareReleases('4.9', '4.15') < 0);
	t.is(releaseName('5.0.0-rc2'), '5.0-rc2');
	t.is(releaseName('4.10.0'), '4.10');
});

test('the recipe depends on flavour and release', async t => {
	const [base, debug, later] = await Promise.all([
		recipeOf('4.15.18', 'base'),
		recipeOf('4.15.18', 'debug'),
		recipeOf('6.12', 'base'),
	]);
	t.is(base.options.get('CONFIG_KASAN'), undefined);
	t.is(debug.options.get('CONFIG_KASAN'), 'y');
	t.is(new Set([base, debug, later].map(({identity}) => identity)).size, 3);
	// These differ in what is replaced in the sources, and in nothing else.
	const [before, after] = await Promise.all(['5.17', '5.18'].map(version => recipeOf(version, 'base')));
	t.deepEqual([after!.make, [...after!.options]], [before!.make, [...before!.options]]);
	t.not(after!.identity, before!.identity);
	t.deepEqual(later.make, []);
	t.true(base.make.some(argument => /^KCFLAGS=.*-fcf-protection=none/.test(argument)));
});

test('without preemption, options of base that depend on it are off', async t => {
	const {options} = await recipeOf('4.15.18', 'nopreempt');
	t.is(options.get('CONFIG_PREEMPT'), 'n');
	t.is(options.get('CONFIG_TASKS_RCU'), 'n');
	t.is(options.get('CONFIG_PREEMPT_NONE'), 'y');
});

const segments = rows.filter(({reason}) => reason.includes('segments of 4 KiB'));

for (const [what, makefile, times] of [
	['a release', 'LDFLAGS := -m elf_$(UTS_MACHINE)\n\n#\n', 1],
	[
		"a distribution's tree that has it already",
		'LDFLAGS := -m elf_$(UTS_MACHINE)\n\nifdef CONFIG_X86_64\nLDFLAGS += $(call ld-option, -z max-page-size=0x200000)\nendif\n',
		2,
	],
] as const) {
	test(`${what} is linked with segments of 2 MiB`, async t => {
		t.is(segments.length, 1);
		await using directory = await mkdtempDisposable(path.join(tmpdir(), 'quirk-'));
		const file = path.join(directory.path, 'arch/x86/Makefile');
		await mkdir(path.dirname(file), {recursive: true});
		await writeFile(file, makefile);
		await applyReplacements(directory.path, segments);
		const text = await readFile(file, 'utf8');
		t.is(text.match(/-z max-page-size=0x200000/g)?.length, times);
	});
}

test('the quirk for segments of 2 MiB applies up to the release that sets them itself', t => {
	const isIn = (version: string) => quirksOf(version, 'base').some(({reason}) => reason.includes('segments of 4 KiB'));
	t.deepEqual(['4.15', '4.15.18', '4.16-rc6', '4.16'].map(isIn), [true, true, true, false]);
});

test('the quirk for libsubcmd defines its helper before its use, and only once', async t => {
	await using directory = await mkdtempDisposable(path.join(tmpdir(), 'quirk-'));
	const file = path.join(directory.path, 'tools/lib/subcmd/Makefile');
	await mkdir(path.dirname(file), {recursive: true});
	await writeFile(file, 'all: fixdep $(LIBFILE)\n\n$(SUBCMD_IN): FORCE\n');
	for (let times = 0; times < 2; times++) await applyReplacements(directory.path, quirksOf('5.0.1', 'base'));
	t.is(await readFile(file, 'utf8'), 'all: fixdep $(LIBFILE)\n\n$(SUBCMD_IN): fixdep FORCE\n');
});

// SPDX-License-Identifier: GPL-2.0
import test from 'ava';
import {type Options, parseOptions} from '../../kernels/kconfig.ts';
import {
	changesBetween,
	readConfig,
	renamesIn,
	titleOfChanges,
	underKnownNames,
	withChanges,
	wordsOfLost,
} from './config-changes.ts';

const parse = (...lines: readonly string[]) => parseOptions(lines.join('\n'), 'test');
const good = parse('CONFIG_A=y', 'CONFIG_B="x"', '# CONFIG_C is not set', 'CONFIG_GCC_VERSION=120200');
const bad = parse('CONFIG_A=y', 'CONFIG_B="z"', 'CONFIG_C=y', 'CONFIG_D=m', 'CONFIG_GCC_VERSION=130000');

test('changes are sorted by name, without those that describe the compiler', t => {
	t.deepEqual(
		changesBetween(good, bad).map(({name, good: from, bad: to}) => `${name} ${from} ${to}`),
		['CONFIG_B "x" "z"', 'CONFIG_C n y', 'CONFIG_D n m'],
	);
	t.deepEqual(changesBetween(bad, bad), []);
});

test('all changes turn the good configuration into the bad one, some into one in between', t => {
	const changes = changesBetween(good, bad);
	t.deepEqual(changesBetween(withChanges(good, changes), bad), []);
	t.deepEqual(changesBetween(good, withChanges(good, changes.slice(1, 2))), changes.slice(1, 2));
});

test('an option that the bad configuration lacks is unset', t => {
	const changes = changesBetween(bad, good);
	t.is(withChanges(bad, changes).get('CONFIG_D'), 'n');
});

test('titleOfChanges names five options and counts the rest', t => {
	const changes = Array.from({length: 7}, (_, n) => ({name: `CONFIG_${n}`, bad: 'y', good: 'n'}));
	t.regex(titleOfChanges(changes), /^CONFIG_0=y, .* and 2 more$/);
});

test('a missing configuration file is named in the error', async t => {
	await t.throwsAsync(readConfig('/nowhere/config'), {name: 'UsageError', message: /\/nowhere\/config cannot be read/});
});

test('lost options are named, except those that describe the compiler', t => {
	t.is(wordsOfLost(['CONFIG_GCC_VERSION=120200 (it is 130000)']), undefined);
	t.is(wordsOfLost(['CONFIG_A=y (it is n)']), 'the kernel does not take CONFIG_A=y (it is n).');
	t.regex(
		wordsOfLost(Array.from({length: 7}, (_, n) => `CONFIG_${n}=y (it is n)`)) ?? '',
		/CONFIG_4=y \(it is n\) and 2 more\.$/,
	);
});

const known =
	(...names: readonly string[]) =>
	(name: string) =>
		names.map(each => `CONFIG_${each}`).includes(name);
const map = new Map([['CONFIG_OLD', 'CONFIG_NEW']]);
const namesOf = (options: Options) => [...options].map(([name, value]) => `${name}=${value}`).join(' ');

test('a renamed option keeps its meaning under the name that a kernel knows', t => {
	const under = (text: string, ...names: readonly string[]) =>
		namesOf(underKnownNames(parseOptions(text, 'a config'), map, known(...names)));
	t.is(under('CONFIG_NEW=y\n', 'OLD'), 'CONFIG_OLD=y');
	t.is(under('CONFIG_NEW=y\n', 'NEW'), 'CONFIG_NEW=y');
	t.is(under('CONFIG_OLD=m\nCONFIG_X=y\n', 'NEW', 'X'), 'CONFIG_NEW=m CONFIG_X=y');
	t.is(under('CONFIG_NEW=y\n'), 'CONFIG_NEW=y', 'neither is known');
	t.is(under('CONFIG_NEW=y\n# CONFIG_OLD is not set\n', 'OLD'), 'CONFIG_NEW=y CONFIG_OLD=n', 'both are given');
});

const diffs: readonly (readonly [what: string, diff: string, renames: string])[] = [
	['a rename', '@@ -1 +1 @@\n-config OLD\n+config NEW\n', 'CONFIG_OLD=CONFIG_NEW'],
	[
		'two renames',
		'@@ -1,2 +1,2 @@\n-config A\n-config B\n+menuconfig C\n+config D\n',
		'CONFIG_A=CONFIG_C CONFIG_B=CONFIG_D',
	],
	['a new option', '@@ -0,0 +1 @@\n+config NEW\n', ''],
	['an option that is moved', '@@ -1 +0,0 @@\n-config A\n@@ -9,0 +9 @@\n+config A\n', ''],
	[
		'a rename beside one that only moves',
		'@@ -1,2 +1,2 @@\n-config OLD\n-config A\n+config A\n+config NEW\n',
		'CONFIG_OLD=CONFIG_NEW',
	],
	['an option of which two are made', '@@ -1 +1,2 @@\n-config OLD\n+config A\n+config B\n', ''],
	['an option that goes where another comes elsewhere', '@@ -1 +0,0 @@\n-config OLD\n@@ -9,0 +9 @@\n+config NEW\n', ''],
	['other lines', '@@ -1 +1 @@\n-\tdepends on A\n+\tdepends on B\n', ''],
];

for (const [what, diff, renames] of diffs) {
	test(`${what} in a Kconfig file gives the renames: ${renames || 'none'}`, t => {
		t.is(namesOf(renamesIn(diff)), renames);
	});
}

// SPDX-License-Identifier: GPL-2.0
import test from 'ava';
import {parseOptions} from '../../kernels/kconfig.ts';
import {changesBetween, readConfig, titleOfChanges, withChanges, wordsOfLost} from './config-changes.ts';

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
	t.is(wordsOfLost(['CONFIG_A=y (it is n)']), 'olddefconfig changed the configuration: CONFIG_A=y (it is n).');
	t.regex(
		wordsOfLost(Array.from({length: 7}, (_, n) => `CONFIG_${n}=y (it is n)`)) ?? '',
		/CONFIG_4=y \(it is n\) and 2 more\.$/,
	);
});

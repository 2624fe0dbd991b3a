// SPDX-License-Identifier: GPL-2.0
import {readdirSync, readFileSync} from 'node:fs';
import path from 'node:path';
import test from 'ava';
import {UsageError} from '../host/errors.ts';
import {kconfigDirectory} from './catalogue.ts';
import {formatOptions, lostOptions, mergeOptions, parseOptions} from './kconfig.ts';

test('options of a .config are parsed and formatted again', t => {
	const text = 'CONFIG_A=y\nCONFIG_B="x y"\n# CONFIG_C is not set\nCONFIG_D=18\n';
	const options = parseOptions(`# talk\n\n${text}`, 'a.config');
	t.deepEqual([...options.values()], ['y', '"x y"', 'n', '18']);
	t.is(formatOptions(options), text);
});

for (const line of ['CONFIG_A', 'A=y', 'CONFIG_A=', ' CONFIG_A=y']) {
	test(`the line ${JSON.stringify(line)} is rejected with its line number`, t => {
		t.throws(() => parseOptions(`CONFIG_X=y\n${line}\n`, 'a.config'), {
			instanceOf: UsageError,
			message: /a\.config, line 2/,
		});
	});
}

test('a later fragment wins, also with "is not set"', t => {
	const base = parseOptions('CONFIG_PREEMPT=y\nCONFIG_A=y\n', 'base');
	const more = parseOptions('# CONFIG_PREEMPT is not set\nCONFIG_PREEMPT_NONE=y\n', 'more');
	t.deepEqual(Object.fromEntries(mergeOptions(base, more)), {
		CONFIG_PREEMPT: 'n',
		CONFIG_A: 'y',
		CONFIG_PREEMPT_NONE: 'y',
	});
});

test('an option is lost if the kernel knows it but did not take it; unknown ones do not count', t => {
	const wanted = parseOptions('CONFIG_A=y\nCONFIG_B=y\nCONFIG_NEW=y\nCONFIG_N=8\n# CONFIG_OFF is not set\n', 'w');
	const got = parseOptions('CONFIG_A=y\n# CONFIG_B is not set\nCONFIG_N=64\nCONFIG_OFF=y\n', 'g');
	t.deepEqual(
		lostOptions(wanted, got, name => name !== 'CONFIG_NEW'),
		['CONFIG_B=y (it is n)', 'CONFIG_N=8 (it is 64)', 'CONFIG_OFF=n (it is y)'],
	);
	t.deepEqual(
		lostOptions(parseOptions('# CONFIG_GONE is not set\n', 'w'), got, () => false),
		[],
	);
});

for (const file of readdirSync(kconfigDirectory)) {
	test(`images/kconfig/${file} can be read`, t => {
		t.true(parseOptions(readFileSync(path.join(kconfigDirectory, file), 'utf8'), file).size > 0);
	});
}

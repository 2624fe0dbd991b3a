// SPDX-License-Identifier: GPL-2.0
import {mkdtempDisposable, writeFile} from 'node:fs/promises';
import {tmpdir} from 'node:os';
import path from 'node:path';
import test from 'ava';
import {BuildError, UsageError} from '../host/errors.ts';
import {readFragment, requireOptions} from './fragment.ts';

test('a fragment is read with its options; one that is not to be read, or has another line, is an error', async t => {
	await using directory = await mkdtempDisposable(path.join(tmpdir(), 'fragment-'));
	const file = path.join(directory.path, 'own.config');
	await writeFile(file, '# ours\nCONFIG_A=y\n# CONFIG_B is not set\n');
	t.deepEqual(readFragment(file), {
		file,
		options: new Map([
			['CONFIG_A', 'y'],
			['CONFIG_B', 'n'],
		]),
	});
	await writeFile(file, 'CONFIG_A=y\nA=y\n');
	t.throws(() => readFragment(file), {instanceOf: UsageError, message: `${file}, line 2: "A=y" is not an option.`});
	t.throws(() => readFragment(`${file}.none`), {
		instanceOf: UsageError,
		message: `The kconfig fragment cannot be read: ${file}.none: no such file or directory`,
	});
});

test('a kernel must have each option of a fragment, known to it or not, with its value', async t => {
	await using directory = await mkdtempDisposable(path.join(tmpdir(), 'fragment-'));
	const config = path.join(directory.path, '.config');
	await writeFile(config, 'CONFIG_A=y\nCONFIG_B=m\nCONFIG_N=18\n# CONFIG_C is not set\n');
	const requires = async (options: Readonly<Record<string, string>>) =>
		requireOptions('k', config, {file: 'own.config', options: new Map(Object.entries(options))});
	await t.notThrowsAsync(requires({CONFIG_A: 'y', CONFIG_N: '18', CONFIG_C: 'n', CONFIG_NONE: 'n'}));
	await t.throwsAsync(requires({CONFIG_A: 'y', CONFIG_B: 'y', CONFIG_NONE: 'y'}), {
		instanceOf: BuildError,
		message: 'k does not have CONFIG_B=y (it is m), CONFIG_NONE=y (it is n), as own.config asks.',
	});
});

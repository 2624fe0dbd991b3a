// SPDX-License-Identifier: GPL-2.0
import {mkdtempDisposable, writeFile} from 'node:fs/promises';
import {tmpdir} from 'node:os';
import path from 'node:path';
import test from 'ava';
import {UsageError} from '../../host/errors.ts';
import {readSettings} from './settings.ts';

async function read(text: string) {
	await using directory = await mkdtempDisposable(path.join(tmpdir(), 'settings-'));
	await writeFile(path.join(directory.path, 'settings'), text);
	return readSettings(directory.path);
}

test('tests share a guest only if the settings say yes', async t => {
	t.is((await read('share=yes\n')).isShared, true);
	t.is((await read('share=no\n')).isShared, false);
	for (const value of ['true', '1', 'YES'])
		await t.throwsAsync(read(`share=${value}\n`), {
			instanceOf: UsageError,
			message: new RegExp(`settings: share must be yes or no, not ${value}\\.$`),
		});
});

test('a comment may stand behind a setting, and blanks around its parts', async t => {
	t.deepEqual(await read('  timeout = 3  # as long as it takes\n\n# share=yes\n'), {timeoutMs: 3000, isShared: false});
});

test('a time with a unit, a sign or a fraction is no number of seconds', async t => {
	for (const value of ['5m', '-5', '1.5'])
		await t.throwsAsync(read(`timeout=${value}\n`), {
			instanceOf: UsageError,
			message: new RegExp(`settings: timeout must be a number of seconds, not ${value}\\.$`),
		});
});

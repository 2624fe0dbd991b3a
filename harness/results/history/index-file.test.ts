// SPDX-License-Identifier: GPL-2.0
import {tmpdir} from 'node:os';
import test from 'ava';
import {UsageError} from '../../host/errors.ts';
import {unusable} from './index-file.ts';

const sqliteError = Object.assign(new Error('disk I/O error'), {code: 'ERR_SQLITE_ERROR', errcode: 4874});

test("an SQLite error becomes a UsageError with SQLite's message", t => {
	const error = unusable(tmpdir(), sqliteError) as Error;
	t.true(error instanceof UsageError);
	t.regex(error.message, /index\.sqlite cannot be used: disk I\/O error$/);
	t.is(error.cause, sqliteError);
});

test('on a full disk the error names the disk, whatever SQLite calls it', t => {
	// A file system of size zero.
	t.regex((unusable('/proc', sqliteError) as Error).message, /^There is no space left on the disk that holds \/proc\//);
});

test('other errors are unchanged', t => {
	for (const error of [new TypeError('a mistake of ours'), new UsageError('said already')])
		t.is(unusable('/proc', error), error);
});

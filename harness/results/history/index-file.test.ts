import {tmpdir} from 'node:os';
import test from 'ava';
import {UsageError} from '../../host/errors.ts';
import {unusable} from './index-file.ts';

const sqliteError = Object.assign(new Error('disk I/O error'), {code: 'ERR_SQLITE_ERROR', errcode: 4874});

test('what SQLite complains of is one sentence, with its words', t => {
	const error = unusable(tmpdir(), sqliteError) as Error;
	t.true(error instanceof UsageError);
	t.regex(error.message, /index\.sqlite cannot be used: disk I\/O error$/);
	t.is(error.cause, sqliteError);
});

test('on a disk without room it is the room that lacks, whatever SQLite calls it', t => {
	// Of no size at all.
	t.regex((unusable('/proc', sqliteError) as Error).message, /^There is no space left on the disk that holds \/proc\//);
});

test('other errors stay what they are', t => {
	for (const error of [new TypeError('a mistake of ours'), new UsageError('said already')])
		t.is(unusable('/proc', error), error);
});

// SPDX-License-Identifier: GPL-2.0
import {mkdtempDisposable, writeFile} from 'node:fs/promises';
import {tmpdir} from 'node:os';
import path from 'node:path';
import test from 'ava';
import {UsageError} from '../host/errors.ts';
import {isMatch, knownTitle, readKnownFailures, titleOf} from './known-failures.ts';

async function read(text: string) {
	await using directory = await mkdtempDisposable(path.join(tmpdir(), 'known-'));
	const file = path.join(directory.path, 'known.json');
	await writeFile(file, text);
	return await readKnownFailures(file);
}

const entry = {kernel: 'k', case: 'a/b', target: 'c', since: '2026-01-01', reason: 'x'};

test('known failures are read', async t => {
	t.deepEqual(await read(JSON.stringify([entry])), [entry]);
});

const wrong: readonly (readonly [what: string, text: string, message: RegExp])[] = [
	['no JSON', '[', /cannot be read/],
	['no list', '{}', /expected a list/],
	['strings as entries', '["a/b"]', /entry 1: expected an object/],
	['a misspelt field', JSON.stringify([entry, {...entry, tagret: 'c'}]), /entry 2: there is no field "tagret", only/],
	['no case', JSON.stringify([{...entry, case: undefined}]), /"case" and "since" are required/],
	['no date', JSON.stringify([{...entry, since: undefined}]), /"case" and "since" are required/],
	['no reason', JSON.stringify([{...entry, reason: undefined}]), /"reason" or "issue" is required/],
	['null as an entry', '[null]', /entry 1: expected an object/],
	['an empty reason', JSON.stringify([{...entry, reason: ''}]), /"reason" must be a string/],
	['a kernel that is not a string', JSON.stringify([{...entry, kernel: 5}]), /"kernel" must be a string/],
];
for (const [what, text, message] of wrong) {
	test(`a list with ${what} is rejected`, async t => {
		await t.throwsAsync(read(text), {instanceOf: UsageError, message});
	});
}

test('an entry matches the cells that it names; a missing field matches all', t => {
	const cell = {kernel: 'k', mechanism: 'm', case: 'a/b', target: 'c'};
	t.true(isMatch(entry, cell));
	t.false(isMatch(entry, {...cell, kernel: 'l'}));
	t.false(isMatch(entry, {...cell, target: 'asm'}));
	t.false(isMatch(entry, {...cell, case: 'a/c'}));
	t.true(isMatch({case: 'a/b', since: 'x'}, cell));
	t.is(knownTitle(entry), 'k a/b[c]');
});

test('an issue may stand for the reason of a known failure', async t => {
	const {reason: _, ...rest} = entry;
	const known = [{...rest, issue: 'https://example.org/7'}];
	t.deepEqual(await read(JSON.stringify(known)), known);
});

test('an entry for one mechanism matches only its cells, and is named with it', t => {
	const cell = {kernel: 'k', mechanism: 'kprobe', case: 'a/b', target: 'c'};
	const known = {...entry, mechanism: 'kprobe'};
	t.true(isMatch(known, cell));
	t.false(isMatch(known, {...cell, mechanism: 'bprobe'}));
	t.is(knownTitle(known), 'k a/b[c]@kprobe');
	t.is(titleOf(known), 'a/b[c]@kprobe');
});

test('an entry for all kernels and targets is named by its case alone', t => {
	t.is(knownTitle({case: 'a/b', since: 'x'}), 'a/b');
});

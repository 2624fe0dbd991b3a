// SPDX-License-Identifier: GPL-2.0
import {mkdir, readdir, readFile, utimes, writeFile} from 'node:fs/promises';
import path from 'node:path';
import test from 'ava';
import {captureStderr} from '../test/capture-stderr.ts';
import {freshCache} from '../test/fresh-cache.ts';
import {cacheDirectory, immutableDirectory, removeUnused} from './cache.ts';
import {UsageError} from './errors.ts';

test.serial('two callers that want the same directory fill it once', async t => {
	await using cache = await freshCache();
	let filled = 0;
	const make = () =>
		immutableDirectory(path.join(cache.path, 'trees/a'), async directory => {
			filled += 1;
			await writeFile(path.join(directory, 'file'), 'x');
		});
	const [first, second] = await Promise.all([make(), make()]);
	t.is(first, second);
	t.is(filled, 1);
	t.deepEqual(await readdir(path.join(cache.path, 'trees')), ['a']);
});

test.serial('a directory whose filling failed does not exist, not even in part', async t => {
	await using cache = await freshCache();
	const making = immutableDirectory(path.join(cache.path, 'trees/a'), async directory => {
		await writeFile(path.join(directory, 'file'), 'x');
		throw new RangeError('no');
	});
	await t.throwsAsync(making, {instanceOf: RangeError});
	t.deepEqual(await readdir(path.join(cache.path, 'trees')), []);
});

test.serial('leftovers of a killed process are removed by the next', async t => {
	await using cache = await freshCache();
	await mkdir(path.join(cache.path, 'trees/a.1234.tmp'), {recursive: true});
	await mkdir(path.join(cache.path, 'trees/ab.1234.tmp'));
	await immutableDirectory(path.join(cache.path, 'trees/a'), () => Promise.resolve());
	t.deepEqual(await readdir(path.join(cache.path, 'trees')), ['a', 'ab.1234.tmp']);
});

test.serial('a damaged directory is made again', async t => {
	await using cache = await freshCache();
	const make = (text: string) =>
		immutableDirectory(path.join(cache.path, 'trees/a'), directory => writeFile(path.join(directory, 'file'), text));
	const final = await make('whole');
	await writeFile(path.join(final, 'file'), 'harmed');
	// Each process checks only once, so load the module again.
	const {immutableDirectory: anew, isWhole} = await import(`./cache.ts?${Date.now()}`);
	t.false(await isWhole(final));
	const said = await captureStderr(() =>
		anew(final, (directory: string) => writeFile(path.join(directory, 'file'), 'again')),
	);
	t.is(said, `probe-matrix: ${path.join(final, 'file')} is damaged; a is rebuilt.\n`);
	t.true(await isWhole(final), 'what is there now is asked about');
	t.is(await readFile(path.join(final, 'file'), 'utf8'), 'again');
	t.deepEqual(await readdir(path.join(cache.path, 'trees')), ['a']);
});

test.serial('what matches and was not used for long is removed', async t => {
	await using cache = await freshCache();
	for (const name of ['old-a', 'old-b', 'new-a']) {
		await mkdir(path.join(cache.path, name));
		await writeFile(path.join(cache.path, name, 'file'), name);
	}
	const before = new Date(Date.now() - 60_000);
	for (const name of ['old-a', 'old-b']) await utimes(path.join(cache.path, name), before, before);
	await removeUnused(cache.path, 30_000, name => name.endsWith('-a'));
	t.deepEqual((await readdir(cache.path)).toSorted(), ['new-a', 'old-b']);
	await removeUnused(cache.path, 30_000);
	t.deepEqual(await readdir(cache.path), ['new-a']);
});

test.serial('a full disk is reported as such', async t => {
	await using cache = await freshCache();
	const full = Object.assign(new Error('ENOSPC: no space left on device'), {code: 'ENOSPC'});
	const making = immutableDirectory(path.join(cache.path, 'trees/a'), () => Promise.reject(full));
	await t.throwsAsync(making, {instanceOf: UsageError, message: /no space left/});
	t.deepEqual(await readdir(path.join(cache.path, 'trees')), [], 'what was half made gives its space back');
});

for (const place of ['/proc/probe-matrix', '/etc/passwd/probe-matrix']) {
	test.serial(`a cache at ${place} is rejected at once`, t => {
		process.env.PROBE_MATRIX_CACHE = place;
		t.throws(() => cacheDirectory('trees'), {instanceOf: UsageError, message: /PROBE_MATRIX_CACHE/});
	});
}

test.serial('a file that is quicker to make again than to check is trusted until the host boots', async t => {
	await using cache = await freshCache();
	const final = path.join(cache.path, 'trees/a');
	await immutableDirectory(
		final,
		async directory => {
			for (const name of ['memory', 'other']) await writeFile(path.join(directory, name), name);
		},
		{fleeting: ['memory']},
	);
	const manifest = JSON.parse(await readFile(path.join(final, '.manifest.json'), 'utf8')) as Record<string, unknown[]>;
	t.is(manifest.memory![2], null);
	t.is(typeof manifest.other![2], 'string');
});

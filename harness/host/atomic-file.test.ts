// SPDX-License-Identifier: GPL-2.0
import {mkdir, mkdtempDisposable, open, readdir, readFile, writeFile} from 'node:fs/promises';
import {tmpdir} from 'node:os';
import path from 'node:path';
import test from 'ava';
import {execa} from 'execa';
import {traceSyncs} from '../test/trace-syncs.ts';
import {writeAtomically} from './atomic-file.ts';

test('who reads a file while it is written has the old content to its end', async t => {
	await using work = await mkdtempDisposable(path.join(tmpdir(), 'atomic-'));
	const file = path.join(work.path, 'it');
	await writeFile(file, 'old');
	await using reader = await open(file);
	await writeAtomically(file, 'new');
	t.is(await reader.readFile('utf8'), 'old');
	t.is(await readFile(file, 'utf8'), 'new');
	t.deepEqual(await readdir(work.path), ['it']);
});

test('a durable file is on the disk before it has its name, and its name before the writer goes on', async t => {
	await using work = await mkdtempDisposable(path.join(tmpdir(), 'atomic-'));
	const file = path.join(work.path, 'it');
	const script = `import {writeAtomically} from ${JSON.stringify(path.join(import.meta.dirname, 'atomic-file.ts'))};
		await writeAtomically(process.argv[1], 'x', {isDurable: process.argv[2] === 'durable'});`;
	const [content, name, directory, ...more] = await traceSyncs(script, [file, 'durable']);
	t.regex(content ?? '', /^sync .*\/it\..*\.tmp$/);
	t.is(name, `rename ${file}`);
	t.is(directory, `sync ${work.path}`);
	t.deepEqual(more, []);
	t.deepEqual(await traceSyncs(script, [file, 'quick']), [`rename ${file}`]);
});

for (const how of ['durable', 'quick'] as const) {
	test(`a ${how} write that fails leaves the old file, and nothing beside it`, async t => {
		await using work = await mkdtempDisposable(path.join(tmpdir(), 'atomic-'));
		const file = path.join(work.path, 'it');
		await writeFile(file, 'old');
		const script = `import {writeAtomically} from ${JSON.stringify(path.join(import.meta.dirname, 'atomic-file.ts'))};
			const [file, how] = process.argv.slice(1);
			await writeAtomically(file, 'x'.repeat(100_000), {isDurable: how === 'durable'}).catch(({code}) => console.log(code));`;
		const args = ['--input-type=module', '-e', script, file, how];
		// As on a full disk, the first bytes can be written and the others cannot.
		const {stdout} = await execa('sh', ['-c', 'ulimit -f 1; exec "$0" "$@"', process.execPath, ...args]);
		t.is(stdout, 'EFBIG');
		t.is(await readFile(file, 'utf8'), 'old');
		t.deepEqual(await readdir(work.path), ['it']);
	});
}

test('a file that cannot get its name is removed, and what has the name stays', async t => {
	await using work = await mkdtempDisposable(path.join(tmpdir(), 'atomic-'));
	const directory = path.join(work.path, 'it');
	await mkdir(directory);
	await writeFile(path.join(directory, 'inside'), 'old');
	await t.throwsAsync(writeAtomically(directory, 'new'), {code: 'EISDIR'});
	t.deepEqual(await readdir(work.path), ['it']);
	t.is(await readFile(path.join(directory, 'inside'), 'utf8'), 'old');
});

// SPDX-License-Identifier: GPL-2.0
import {appendFileSync} from 'node:fs';
import {appendFile, mkdtempDisposable, stat, writeFile} from 'node:fs/promises';
import {tmpdir} from 'node:os';
import path from 'node:path';
import test from 'ava';
import {Console} from './console.ts';

test('waitForLine finds earlier lines and ones that arrive later in pieces', async t => {
	await using directory = await mkdtempDisposable(path.join(tmpdir(), 'console-'));
	const file = path.join(directory.path, 'console');
	await using console = await Console.open(file);
	await appendFile(file, 'early\r\n');
	t.is(await console.waitForLine(/^early$/), 'early');
	const waiting = console.waitForLine(/^late line$/);
	await appendFile(file, 'late ');
	await appendFile(file, 'line\r\nrest');
	t.is(await waiting, 'late line');
	await console.refresh();
	t.is(console.text, 'early\nlate line\nrest');
});

test('an incomplete line does not match', async t => {
	await using directory = await mkdtempDisposable(path.join(tmpdir(), 'console-'));
	const file = path.join(directory.path, 'console');
	await using console = await Console.open(file);
	await appendFile(file, 'ready');
	await console.refresh();
	await t.throwsAsync(console.waitForLine(/ready/, {signal: AbortSignal.timeout(100)}), {name: 'TimeoutError'});
});

test('each line is reported once', async t => {
	await using directory = await mkdtempDisposable(path.join(tmpdir(), 'console-'));
	const file = path.join(directory.path, 'console');
	await using console = await Console.open(file);
	const lines: string[] = [];
	console.onLine(line => lines.push(line));
	for (let index = 0; index < 50; index += 1) await appendFile(file, `line ${index}\n`);
	await console.refresh();
	t.deepEqual(
		lines,
		Array.from({length: 50}, (_, index) => `line ${index}`),
	);
});

test('a flood of 100 MB is read completely, and only its end is kept', async t => {
	await using directory = await mkdtempDisposable(path.join(tmpdir(), 'console-'));
	const file = path.join(directory.path, 'console');
	const line = `[    1.000000] ${'flood '.repeat(14)}\n`;
	const chunk = line.repeat(10_000);
	const chunks = Math.ceil(100e6 / chunk.length);
	for (let index = 0; index < chunks; index++) await appendFile(file, chunk);
	await appendFile(file, 'dry again\n');
	await using console = await Console.open(file);
	let lines = 0;
	console.onLine(() => lines++);
	const before = process.memoryUsage().heapUsed;
	await console.refresh();
	t.is(lines, chunks * 10_000 + 1);
	t.is(console.end, chunks * chunk.length + 'dry again\n'.length);
	t.true(console.text.endsWith('dry again\n'));
	t.true(console.text.length < 4e6, `${console.text.length} characters are kept`);
	t.true(console.from(5).startsWith('['));
	t.is(console.from(console.end - 10), 'dry again\n');
	t.true(process.memoryUsage().heapUsed - before < 200e6);
});

test('a line without an end does not accumulate', async t => {
	await using directory = await mkdtempDisposable(path.join(tmpdir(), 'console-'));
	const file = path.join(directory.path, 'console');
	await appendFile(file, 'x'.repeat(1 << 20));
	await using console = await Console.open(file);
	let longest = 0;
	console.onLine(line => {
		longest = Math.max(longest, line.length);
	});
	await console.refresh();
	t.true(longest > 0 && longest < 1 << 18, `${longest}`);
});

test('what was written until a console is closed is still read, and nothing is reported afterwards', async t => {
	await using directory = await mkdtempDisposable(path.join(tmpdir(), 'console-'));
	const file = path.join(directory.path, 'console');
	const console = await Console.open(file);
	t.is((await stat(file)).mode & 0o777, 0o600, 'what a guest prints is for its owner only');
	const lines: string[] = [];
	console.onLine(line => lines.push(line));
	appendFileSync(file, 'last words\n');
	await console[Symbol.asyncDispose]();
	t.deepEqual(lines, ['last words']);
	t.is(console.text, 'last words\n');
});

test('a listener that is disposed of hears no more, and others go on', async t => {
	await using directory = await mkdtempDisposable(path.join(tmpdir(), 'console-'));
	const file = path.join(directory.path, 'console');
	await using console = await Console.open(file);
	const heard: string[] = [];
	const first = console.onLine(line => heard.push(`first ${line}`));
	console.onLine(line => heard.push(`second ${line}`));
	await appendFile(file, 'a\n');
	await console.refresh();
	first[Symbol.dispose]();
	await appendFile(file, 'b\n');
	await console.refresh();
	t.deepEqual(heard, ['first a', 'second a', 'second b']);
});

test('what came since a position is told from there, and nothing at the end', async t => {
	await using directory = await mkdtempDisposable(path.join(tmpdir(), 'console-'));
	const file = path.join(directory.path, 'console');
	await using console = await Console.open(file);
	t.is(console.from(console.end), '');
	await appendFile(file, 'one\r\n');
	await console.refresh();
	const {end} = console;
	t.is(end, 4, 'without carriage returns');
	await appendFile(file, 'two');
	await console.refresh();
	t.is(console.from(0), 'one\ntwo');
	t.is(console.from(end), 'two');
	t.is(console.from(end + 1), 'wo');
});

test('of a flood, the position says how much is in the file only', async t => {
	await using directory = await mkdtempDisposable(path.join(tmpdir(), 'console-'));
	const file = path.join(directory.path, 'console');
	await writeFile(file, `${'x'.repeat(99)}\n`.repeat(40_000));
	await using console = await Console.open(file);
	await console.refresh();
	const dropped = console.end - console.text.length;
	t.true(dropped > 0);
	t.is(console.from(dropped), console.text);
	t.is(console.from(dropped - 7), `[7 characters are in ${file} only]\n${console.text}`);
});

test('who refreshes while a console is being read has read what was there then', async t => {
	await using directory = await mkdtempDisposable(path.join(tmpdir(), 'console-'));
	const file = path.join(directory.path, 'console');
	await using console = await Console.open(file);
	for (let n = 0; n < 200; n++) {
		void console.refresh();
		appendFileSync(file, `${n}\n`);
		await console.refresh();
		t.true(console.text.endsWith(`\n${n}\n`) || n === 0, `${n}`);
	}
});

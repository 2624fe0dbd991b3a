// SPDX-License-Identifier: GPL-2.0
import {appendFile, mkdtempDisposable} from 'node:fs/promises';
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

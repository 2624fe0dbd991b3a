import {appendFile, mkdtempDisposable} from 'node:fs/promises';
import {tmpdir} from 'node:os';
import path from 'node:path';
import test from 'ava';
import {Console} from './console.ts';

test('a line is found whether it was there before or comes in pieces later', async t => {
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

test('an unfinished line does not match', async t => {
	await using directory = await mkdtempDisposable(path.join(tmpdir(), 'console-'));
	const file = path.join(directory.path, 'console');
	await using console = await Console.open(file);
	await appendFile(file, 'ready');
	await console.refresh();
	await t.throwsAsync(console.waitForLine(/ready/, {signal: AbortSignal.timeout(100)}), {name: 'TimeoutError'});
});

test('each line is told once', async t => {
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

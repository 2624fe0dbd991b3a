// SPDX-License-Identifier: GPL-2.0
import {mkdtempDisposable, readFile} from 'node:fs/promises';
import {tmpdir} from 'node:os';
import path from 'node:path';
import test from 'ava';
import {execa} from 'execa';
import {UsageError} from '../../host/errors.ts';
import {EventLog} from './event-log.ts';

const started = (name: string) =>
	({type: 'started', kernel: 'k', mechanism: 'm', case: `fake/${name}`, repeat: 0}) as const;

test('each event is a line in the file as soon as it is written', async t => {
	await using directory = await mkdtempDisposable(path.join(tmpdir(), 'event-log-'));
	const file = path.join(directory.path, 'events.jsonl');
	using log = new EventLog(file);
	for (const name of ['one', 'two\nlines']) log.write(started(name));
	const lines = (await readFile(file, 'utf8')).split('\n');
	t.deepEqual(
		lines.slice(0, -1).map(line => JSON.parse(line)),
		[started('one'), started('two\nlines')],
	);
	t.is(lines.at(-1), '');
});

test('an event is whole, however long it is', async t => {
	await using directory = await mkdtempDisposable(path.join(tmpdir(), 'event-log-'));
	const fifo = path.join(directory.path, 'fifo');
	await execa('mkfifo', [fifo]);
	// A pipe takes 64 KiB at most, so that it is written in pieces.
	const reader = execa('sh', ['-c', 'cat "$0" > "$0.read"', fifo]);
	const long = started('é'.repeat(300_000));
	{
		using log = new EventLog(fifo);
		log.write(long);
	}
	await reader;
	t.deepEqual(JSON.parse(await readFile(`${fifo}.read`, 'utf8')), long);
});

for (const file of ['/nowhere/at/all/events.jsonl', '/', '/proc/events.jsonl']) {
	test(`events to ${file} are rejected before anything runs`, t => {
		t.throws(() => new EventLog(file), {instanceOf: UsageError, message: /The events cannot be written/});
	});
}

test('a full disk is an error', t => {
	using log = new EventLog('/dev/full');
	t.throws(() => log.write(started('one')), {instanceOf: UsageError, message: /\/dev\/full: no space left on device/});
});

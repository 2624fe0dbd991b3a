// SPDX-License-Identifier: GPL-2.0
import {writeSync} from 'node:fs';
import {mkdtempDisposable, readFile} from 'node:fs/promises';
import {tmpdir} from 'node:os';
import path from 'node:path';
import test from 'ava';
import {UsageError} from '../../host/errors.ts';
import {asText, fakeRun} from '../../test/fake-run.ts';
import {parseRun} from '../run/read-run.ts';
import {HistoryLog, runFile} from './history-log.ts';

const events = fakeRun({id: 'r1', cells: {'k a/b': 'pass', 'k a/c': 'fail'}});
const noTrouble = (sentence: string) => {
	throw new Error(sentence);
};
const full = () => {
	throw Object.assign(new Error('ENOSPC: no space left on device, write'), {code: 'ENOSPC'});
};

test('each event is in the history as soon as it is written', async t => {
	await using directory = await mkdtempDisposable(path.join(tmpdir(), 'history-log-'));
	const log = new HistoryLog(directory.path, {onTrouble: noTrouble});
	for (const [index, event] of events.entries()) {
		log.write(event);
		t.is(await readFile(runFile(directory.path, 'r1'), 'utf8'), asText(events.slice(0, index + 1)));
	}
	log.close();
});

test('a disk that is full for a while loses no event, and is reported once', async t => {
	await using directory = await mkdtempDisposable(path.join(tmpdir(), 'history-log-'));
	const told: string[] = [];
	let room = 500;
	const log = new HistoryLog(directory.path, {
		onTrouble: sentence => told.push(sentence),
		write(descriptor, bytes) {
			if (room === 0) full();
			const written = writeSync(descriptor, bytes, 0, Math.min(room, bytes.length));
			room -= written;
			return written;
		},
	});
	for (const event of events) log.write(event);
	const cut = await readFile(runFile(directory.path, 'r1'), 'utf8');
	t.is(cut, asText(events).slice(0, 500));
	t.true(parseRun(cut, 'x').isInterrupted);
	t.is(told.length, 1);
	t.regex(told[0]!, /r1\.jsonl cannot be written \(ENOSPC.*the run continues/);
	room = 1e6;
	log.close();
	t.is(await readFile(runFile(directory.path, 'r1'), 'utf8'), asText(events));
});

test('a disk that stays full is also reported at the end', async t => {
	await using directory = await mkdtempDisposable(path.join(tmpdir(), 'history-log-'));
	const log = new HistoryLog(directory.path, {onTrouble() {}, write: full});
	for (const event of events) log.write(event);
	t.throws(() => log.close(), {instanceOf: UsageError, message: /The history lacks the end.*ENOSPC/});
});

test('a run does not overwrite another one', async t => {
	await using directory = await mkdtempDisposable(path.join(tmpdir(), 'history-log-'));
	const [first, second] = [1, 2].map(() => new HistoryLog(directory.path, {onTrouble: noTrouble}));
	first!.write(events[0]!);
	t.throws(() => second!.write(events[0]!), {instanceOf: UsageError, message: /r1\.jsonl: file already exists/});
	first!.close();
	second!.close();
});

for (const directory of ['/proc/history', '/dev/null/history']) {
	test(`a history in ${directory} is rejected before anything runs`, t => {
		t.throws(() => new HistoryLog(directory, {onTrouble: noTrouble}), {instanceOf: UsageError});
	});
}

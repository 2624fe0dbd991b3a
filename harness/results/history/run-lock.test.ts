// SPDX-License-Identifier: GPL-2.0
import {once} from 'node:events';
import {existsSync} from 'node:fs';
import {mkdir, mkdtempDisposable, readdir, writeFile} from 'node:fs/promises';
import {tmpdir} from 'node:os';
import path from 'node:path';
import test from 'ava';
import {execa} from 'execa';
import {UsageError} from '../../host/errors.ts';
import {fakeRun} from '../../test/fake-run.ts';
import {findRun} from './find-run.ts';
import {HistoryLog} from './history-log.ts';
import {isRunning} from './run-lock.ts';
import {HistoryStore} from './store.ts';

const events = fakeRun({id: 'r1', cells: {'k a/b': 'pass'}});

test('a run is in progress until its end, and leaves only its events', async t => {
	await using directory = await mkdtempDisposable(path.join(tmpdir(), 'running-'));
	const log = new HistoryLog(directory.path, {onTrouble: t.fail});
	for (const event of events.slice(0, -1)) log.write(event);
	using store = await HistoryStore.open(directory.path);
	t.like(store.runs()[0], {id: 'r1', isRunning: true, isInterrupted: false, isGreen: false});
	t.throws(() => findRun(store, 'last'), {message: /no run yet/});
	log.write(events.at(-1)!);
	log.close();
	using later = await HistoryStore.open(directory.path);
	t.like(later.runs()[0], {isRunning: false, isInterrupted: false, isGreen: true});
	t.deepEqual(await readdir(path.join(directory.path, 'runs')), ['r1.jsonl']);
});

test('a run that is interrupted in order is no longer in progress', async t => {
	await using directory = await mkdtempDisposable(path.join(tmpdir(), 'running-'));
	{
		using log = new HistoryLog(directory.path, {onTrouble: t.fail});
		for (const event of events.slice(0, -1)) log.write(event);
	}
	t.deepEqual(await readdir(path.join(directory.path, 'runs')), ['r1.jsonl']);
	using store = await HistoryStore.open(directory.path);
	t.like(store.runs()[0], {isRunning: false, isInterrupted: true});
});

const writer = `
	const {HistoryLog} = await import(${JSON.stringify(new URL('history-log.ts', import.meta.url).href)});
	const log = new HistoryLog(process.argv[1], {onTrouble: console.error});
	for (const event of JSON.parse(process.argv[2])) log.write(event);
	console.log('written');
	setInterval(() => log, 1000);
`;

test('a killed run is no longer in progress, also for concurrent readers', async t => {
	t.timeout(60_000);
	await using directory = await mkdtempDisposable(path.join(tmpdir(), 'running-'));
	const some = JSON.stringify(events.slice(0, -1));
	const child = execa(process.execPath, ['--input-type=module', '-e', writer, directory.path, some], {reject: false});
	t.teardown(() => child.kill('SIGKILL'));
	await once(child.stdout, 'data');
	using store = await HistoryStore.open(directory.path);
	t.like(store.runs()[0], {isRunning: true, isInterrupted: false});
	child.kill('SIGKILL');
	await child;
	t.like(store.runs()[0], {isRunning: false, isInterrupted: true});
	const mark = path.join(directory.path, 'runs', 'r1.jsonl.running');
	t.true(existsSync(mark), 'the killed one could not remove it');
	await store.remove('r1');
	t.false(existsSync(mark));
});

test('a lock file that no run of ours holds does not mean that a run is in progress', async t => {
	await using directory = await mkdtempDisposable(path.join(tmpdir(), 'running-'));
	const file = (name: string) => path.join(directory.path, name);
	await writeFile(file('empty.running'), '');
	await writeFile(file('damaged.running'), 'hello '.repeat(100));
	await mkdir(file('strange.running'));
	t.false(isRunning(file('none')));
	t.false(isRunning(file('empty')));
	t.false(isRunning(file('damaged')));
	t.throws(() => isRunning(file('strange')), {
		instanceOf: UsageError,
		message:
			/^Cannot tell whether a run is in progress: .*strange\.running cannot be read: unable to open database file\.$/,
	});
});

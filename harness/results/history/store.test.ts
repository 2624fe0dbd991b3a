// SPDX-License-Identifier: GPL-2.0
import {once} from 'node:events';
import {appendFile, mkdir, mkdtempDisposable, readdir, readFile, rm, stat, truncate, writeFile} from 'node:fs/promises';
import {tmpdir} from 'node:os';
import path from 'node:path';
import {DatabaseSync} from 'node:sqlite';
import test from 'ava';
import {execa} from 'execa';
import {UsageError} from '../../host/errors.ts';
import {asText, type FakeRun, fakeRun} from '../../test/fake-run.ts';
import {findRun, NoSuchRunYetError} from './find-run.ts';
import {runFile} from './history-log.ts';
import {HistoryStore} from './store.ts';

async function temporaryHistory(runs: readonly FakeRun[] = []) {
	const directory = await mkdtempDisposable(path.join(tmpdir(), 'store-'));
	await mkdir(path.join(directory.path, 'runs'));
	for (const run of runs) await add(directory.path, run);
	return directory;
}

async function add(directory: string, run: FakeRun) {
	await writeFile(runFile(directory, run.id!), asText(fakeRun(run)));
}

const three: readonly FakeRun[] = [
	{id: 'r1', cells: {'k a/b[c]': ['pass', 'pass'], 'k a/c': 'fail'}},
	{id: 'r2', cells: {'k a/b[c]': 'pass', 'k a/c': 'pass'}},
	{id: 'r3', cells: {'k a/b[c]': ['pass', 'crash']}, isInterrupted: true},
];

/** Everything in the index. */
function all(store: HistoryStore) {
	return {runs: store.runs(), problems: store.problems(), cells: [...store.cells()]};
}

test('runs are found with their end, cells with their results', async t => {
	await using directory = await temporaryHistory(three);
	using store = await HistoryStore.open(directory.path);
	const [first, second, third] = store.runs();
	t.like(first, {id: 'r1', command: 'run', exitCode: 1, isGreen: false, isInterrupted: false, kernels: ['k']});
	t.deepEqual(first!.counts, {pass: 1, fail: 1});
	t.like(second, {id: 'r2', exitCode: 0, isGreen: true});
	t.like(third, {id: 'r3', isGreen: false, isInterrupted: true});
	t.deepEqual(
		[...store.cells()].map(({case: id, target, results}) => [
			id,
			target,
			results.map(({run, verdict, passes, total, message}) => [run, verdict, passes, total, message]),
		]),
		[
			[
				'a/b',
				'c',
				[
					['r1', 'pass', 2, 2, undefined],
					['r2', 'pass', 1, 1, undefined],
					['r3', 'crash', 1, 2, 'a crash'],
				],
			],
			[
				'a/c',
				undefined,
				[
					['r1', 'fail', 0, 1, 'a fail'],
					['r2', 'pass', 1, 1, undefined],
				],
			],
		],
	);
	t.is([...store.cells({before: 'r2'})].flatMap(({results}) => results).length, 2);
});

test('messages are stored unchanged', async t => {
	const messages = ['a "quote"\n\\', 'a\u0000b', '\u{1f600}', ''];
	await using directory = await temporaryHistory(
		messages.map((message, n) => ({id: `r${n}`, cells: {'k a/b': [{verdict: 'fail', message}]}})),
	);
	using store = await HistoryStore.open(directory.path);
	const [cell] = [...store.cells()];
	t.deepEqual(
		cell!.results.map(({message}) => message),
		messages,
	);
});

test('last is the newest run, and last-green is never interrupted or a shard', async t => {
	await using directory = await temporaryHistory([
		...three,
		...['r4', 'r4-more'].map(id => ({
			id,
			cells: {'k a/b': 'pass' as const},
			run: {shard: {index: 1, parts: [['k'], ['l']]}},
		})),
	]);
	using store = await HistoryStore.open(directory.path);
	t.is(findRun(store, 'last').id, 'r3');
	t.is(findRun(store, 'last-green').id, 'r2');
	t.is(findRun(store, 'r4').id, 'r4', 'it is the whole name of one');
	t.is(findRun(store, 'r4-').id, 'r4-more');
	t.is(findRun(store, 'last', {besides: 'r3'}).id, 'r2');
	t.throws(() => findRun(store, 'last-green', {besides: 'r2'}), {
		instanceOf: NoSuchRunYetError,
		message: /none of them green/,
	});
	t.throws(() => findRun(store, 'r'), {instanceOf: UsageError, message: /it matches 5 runs, from r1 to r4-more/});
	t.throws(() => findRun(store, 'x'), {instanceOf: UsageError, message: /no run x/});
});

const losses: Readonly<Record<string, (index: string) => Promise<unknown>>> = {
	missing: index => rm(index),
	empty: index => truncate(index),
	cut: index => truncate(index, 5000),
	'overwritten by something else': index => writeFile(index, 'hello '.repeat(1000)),
};
for (const [what, lose] of Object.entries(losses)) {
	test(`an index that is ${what} is made again from the events`, async t => {
		await using directory = await temporaryHistory(three);
		const open = await HistoryStore.open(directory.path);
		const before = all(open);
		open[Symbol.dispose]();
		await lose(path.join(directory.path, 'index.sqlite'));
		using store = await HistoryStore.open(directory.path);
		t.deepEqual(all(store), before);
	});
}

test('an index with a page that is damaged is made again from the events, whichever it is', async t => {
	await using directory = await temporaryHistory(three);
	const index = path.join(directory.path, 'index.sqlite');
	const intact = await HistoryStore.open(directory.path);
	const before = all(intact);
	intact[Symbol.dispose]();
	const {size} = await stat(index);
	const pageBytes = 4096;
	t.true(size > 5 * pageBytes);
	for (let at = pageBytes; at < size; at += pageBytes) {
		const bytes = await readFile(index);
		bytes.fill('damaged', at, at + pageBytes);
		await writeFile(index, bytes);
		using store = await HistoryStore.open(directory.path);
		t.deepEqual(all(store), before, `byte ${at}`);
	}
});

const holding = `
	const {HistoryStore} = await import(${JSON.stringify(new URL('store.ts', import.meta.url).href)});
	using store = await HistoryStore.open(process.argv[1]);
	console.log('open');
	for await (const _ of process.stdin);
	console.log(store.runs().map(({id}) => id).join(' '));
`;

test('who has an index open when another process makes it again goes on with the old one', async t => {
	await using directory = await temporaryHistory(three);
	(await HistoryStore.open(directory.path))[Symbol.dispose]();
	const holder = execa(process.execPath, ['--input-type=module', '-e', holding, directory.path], {stdin: 'pipe'});
	await Promise.race([once(holder.stdout, 'data'), holder]);
	const index = path.join(directory.path, 'index.sqlite');
	// Another file: the holder has the old one.
	await rm(index);
	await writeFile(index, 'hello '.repeat(1000));
	await add(directory.path, {id: 'r4', cells: {'k a/b': 'pass'}});
	{
		using store = await HistoryStore.open(directory.path);
		t.deepEqual(
			store.runs().map(({id}) => id),
			['r1', 'r2', 'r3', 'r4'],
		);
		holder.stdin.end();
		t.is((await holder).stdout, 'open\nr1 r2 r3');
	}
	using again = await HistoryStore.open(directory.path);
	t.is([...again.cells()].flatMap(({results}) => results).length, 6);
});

test('an outdated index is updated with runs that were added, grew and were removed', async t => {
	await using directory = await temporaryHistory(three);
	(await HistoryStore.open(directory.path))[Symbol.dispose]();
	await add(directory.path, {id: 'r4', cells: {'k a/b[c]': 'pass'}});
	await appendFile(runFile(directory.path, 'r3'), asText(fakeRun({cells: {'k a/b[c]': 'pass'}}).slice(-1)));
	await rm(runFile(directory.path, 'r1'));
	using store = await HistoryStore.open(directory.path);
	t.deepEqual(
		store.runs().map(({id, isInterrupted}) => [id, isInterrupted]),
		[
			['r2', false],
			['r3', false],
			['r4', false],
		],
	);
	t.deepEqual(
		[...store.cells()].map(({results}) => results.map(({run}) => run)),
		[['r2', 'r3', 'r4'], ['r2']],
	);
});

test('an index with a newer schema is rejected and not changed', async t => {
	await using directory = await temporaryHistory(three);
	(await HistoryStore.open(directory.path))[Symbol.dispose]();
	using database = new DatabaseSync(path.join(directory.path, 'index.sqlite'));
	database.exec('PRAGMA user_version = 7');
	await t.throwsAsync(HistoryStore.open(directory.path), {instanceOf: UsageError, message: /has schema 7.*Update/});
	t.is(database.prepare('SELECT count(*) AS n FROM run').get()!.n, 3);
});

test('an index with an older schema is made again', async t => {
	await using directory = await temporaryHistory(three);
	(await HistoryStore.open(directory.path))[Symbol.dispose]();
	using database = new DatabaseSync(path.join(directory.path, 'index.sqlite'));
	database.exec('PRAGMA user_version = 0');
	using store = await HistoryStore.open(directory.path);
	t.is(store.runs().length, 3);
});

test('an unreadable run is reported, and others are still read', async t => {
	await using directory = await temporaryHistory(three);
	await writeFile(runFile(directory.path, 'r0'), 'hello\n');
	using store = await HistoryStore.open(directory.path);
	t.is(store.runs().length, 3);
	t.like(store.problems(), {0: {id: 'r0'}, length: 1});
	t.throws(() => findRun(store, 'r0'), {message: /r0\.jsonl, line 1: expected a JSON object/});
});

test('only earlier runs count as the past of a run', async t => {
	await using directory = await temporaryHistory(three);
	using store = await HistoryStore.open(directory.path);
	const runsOf = (before: string) => [...store.cells({before})].map(({results}) => results.map(({run}) => run));
	t.deepEqual(runsOf('r1'), []);
	t.deepEqual(runsOf('r3'), [
		['r1', 'r2'],
		['r1', 'r2'],
	]);
	const cell = {kernel: 'k', mechanism: 'bprobe', case: 'a/b', target: 'c'};
	t.deepEqual(
		['r1', 'r2', 'r9'].map(run => store.durationsBefore(run)(cell).length),
		[0, 2, 4],
	);
});

test('a removed run is removed from files and index', async t => {
	await using directory = await temporaryHistory(three);
	using store = await HistoryStore.open(directory.path);
	await store.remove('r1');
	t.deepEqual(await readdir(path.join(directory.path, 'runs')), ['r2.jsonl', 'r3.jsonl']);
	t.deepEqual(
		[...store.cells()].map(({results}) => results.length),
		[2, 1],
	);
	await rm(path.join(directory.path, 'runs', 'r2.jsonl'));
	await t.notThrowsAsync(store.remove('r2'), 'another process has removed its file');
	t.deepEqual(
		store.runs().map(({id}) => id),
		['r3'],
	);
});

test('durations of earlier runs and of whole kernels are known', async t => {
	await using directory = await temporaryHistory(three);
	using store = await HistoryStore.open(directory.path);
	const history = store.durationsBefore('r3');
	t.deepEqual(history({kernel: 'k', mechanism: 'bprobe', case: 'a/b', target: 'c'}), [100, 100, 100]);
	t.deepEqual(history({kernel: 'k', mechanism: 'bprobe', case: 'a/b'}), []);
	t.is(store.durationsBefore('r9')({kernel: 'k', mechanism: 'bprobe', case: 'a/b', target: 'c'}).length > 3, true);
	t.is(store.kernelMs('k'), 200);
	t.is(store.kernelMs('l'), undefined);
});

test('durations are those of recent runs', async t => {
	const runs = Array.from({length: 25}, (_, n) => ({
		id: `r${10 + n}`,
		cells: {'k a/b': [{verdict: 'pass', durationMs: 1000 + n}] as const},
	}));
	await using directory = await temporaryHistory(runs);
	using store = await HistoryStore.open(directory.path);
	const history = store.durationsBefore('r34')({kernel: 'k', mechanism: 'bprobe', case: 'a/b'});
	t.deepEqual(
		history.toSorted((a, b) => a - b),
		Array.from({length: 20}, (_, n) => 1004 + n),
	);
});

test('the duration of a kernel is that of a whole run, not of one that was cut short, is a shard or a bench', async t => {
	await using directory = await temporaryHistory();
	const many = {'k a/b': 'pass', 'k a/c': 'pass', 'k a/d': 'pass'} as const;
	await add(directory.path, {id: 'r1', cells: {'k a/b': 'pass'}});
	await add(directory.path, {id: 'r2', cells: many, isInterrupted: true});
	await add(directory.path, {id: 'r3', cells: many, run: {shard: {index: 1, parts: [['k'], ['l']]}}});
	await add(directory.path, {id: 'r4', cells: many, run: {command: 'bench'}});
	using store = await HistoryStore.open(directory.path);
	t.is(store.kernelMs('k'), 100);
	await add(directory.path, {id: 'r5', cells: many});
	using later = await HistoryStore.open(directory.path);
	t.is(later.kernelMs('k'), 300);
});

test('opening a missing history does not create one', async t => {
	await using directory = await mkdtempDisposable(path.join(tmpdir(), 'store-'));
	await t.throwsAsync(HistoryStore.open(directory.path), {instanceOf: UsageError, message: /no history in/});
	t.deepEqual(await readdir(directory.path), []);
});

const opening = `
	const {HistoryStore} = await import(${JSON.stringify(new URL('store.ts', import.meta.url).href)});
	using store = await HistoryStore.open(process.argv[1]);
	console.log(store.runs().length, [...store.cells()].length);
`;

test('several processes may index and read a history at once', async t => {
	await using directory = await temporaryHistory();
	for (let n = 100; n < 140; n++) await add(directory.path, {id: `r${n}`, cells: {'k a/b': 'pass', 'k a/c': 'fail'}});
	const answers = await Promise.all(
		[1, 2, 3].map(() => execa(process.execPath, ['--input-type=module', '-e', opening, directory.path])),
	);
	for (const {stdout} of answers) t.is(stdout, '40 2');
});

test('a kill during indexing leaves a readable history', async t => {
	await using directory = await temporaryHistory();
	const cells = Object.fromEntries(Array.from({length: 50}, (_, n) => [`k a/c${n}`, 'pass'] as const));
	for (let n = 100; n < 160; n++) await add(directory.path, {id: `r${n}`, cells});
	const complete = await execa(process.execPath, ['--input-type=module', '-e', opening, directory.path]);
	t.is(complete.stdout, '60 50');
	const wholeMs = complete.durationMs;
	for (let killed = 1; killed <= 6; killed++) {
		await rm(path.join(directory.path, 'index.sqlite'), {force: true});
		await execa(process.execPath, ['--input-type=module', '-e', opening, directory.path], {
			timeout: Math.round((wholeMs * killed) / 7),
			killSignal: 'SIGKILL',
			reject: false,
		});
		using store = await HistoryStore.open(directory.path);
		t.is(store.runs().length, 60);
		t.is([...store.cells()].flatMap(({results}) => results).length, 3000);
	}
});

// SPDX-License-Identifier: GPL-2.0
import {readdir, writeFile} from 'node:fs/promises';
import path from 'node:path';
import {DatabaseSync} from 'node:sqlite';
import test from 'ava';
import {probeMatrix, temporaryRuns} from '../test/fake-cli.ts';

test('runs are listed with their exit status, unreadable ones with a warning', async t => {
	t.timeout(90_000);
	await using runs = await temporaryRuns();
	runs.keep({id: 'r1', cells: {'k a/b': 'pass'}, run: {command: 'nightly'}});
	runs.keep({id: 'r2', cells: {'k a/b': 'fail'}});
	runs.keep({id: 'r3', cells: {'k a/b': 'pass'}, isInterrupted: true});
	await writeFile(path.join(runs.history, 'runs', 'r0.jsonl'), 'hello\n');
	const {exitCode, stdout, stderr} = await probeMatrix('history', 'list', '--history', runs.history);
	t.is(exitCode, 0);
	t.deepEqual(
		stdout.split('\n').map(line => line.split(/ {2,}/).slice(0, 3).join(', ')),
		['r1, nightly, exit 0', 'r2, run, exit 1', 'r3, run, interrupted'],
	);
	t.regex(stderr, /^probe-matrix: skipped: .*r0\.jsonl, line 1: expected a JSON object, one event\.$/);
});

test('only flaky and broken cells are listed', async t => {
	t.timeout(90_000);
	await using runs = await temporaryRuns();
	for (let n = 10; n < 30; n++) {
		runs.keep({
			id: `r${n}`,
			cells: {'k a/well': 'pass', 'k a/flaky': n % 5 === 0 ? 'fail' : 'pass', 'k a/broken': n < 25 ? 'pass' : 'crash'},
		});
	}
	const {exitCode, stdout} = await probeMatrix('history', 'cells', '--history', runs.history);
	t.is(exitCode, 0);
	t.regex(stdout, /^k a\/flaky\n {2}flaky; passed 16 of 20 \(58 % to 92 %\)\n {2}first seen r10, last r29\n/m);
	t.regex(stdout, /^k a\/broken\n {2}broken since r25; passed 15 of 20/m);
	t.false(stdout.includes('a/well'));
});

test('prune removes old runs, and requires --keep or --older-than', async t => {
	t.timeout(90_000);
	await using runs = await temporaryRuns();
	for (const id of ['r1', 'r2', 'r3']) runs.keep({id, cells: {'k a/b': id === 'r1' ? 'pass' : 'fail'}});
	for (const args of [[], ['--keep', '0'], ['--keep', 'x'], ['--older-than', '1.5']]) {
		const {exitCode, stderr} = await probeMatrix('history', 'prune', '--history', runs.history, ...args);
		t.is(exitCode, 2);
		t.regex(stderr, /--keep or --older-than|an integer from 1/);
	}
	const prune = async (...args: readonly string[]) =>
		(await probeMatrix('history', 'prune', '--history', runs.history, ...args)).stdout;
	t.is(await prune('--older-than', '36500'), '0 runs removed, 3 kept');
	t.is((await readdir(path.join(runs.history, 'runs'))).length, 3);
	t.is(await prune('--keep', '1'), '1 run removed, 2 kept');
	t.deepEqual(await readdir(path.join(runs.history, 'runs')), ['r1.jsonl', 'r3.jsonl']);
	runs.keep({id: 'r4', cells: {'k a/b': 'fail'}});
	t.is(await prune('--older-than', '1'), '2 runs removed, 1 kept');
	t.deepEqual(await readdir(path.join(runs.history, 'runs')), ['r1.jsonl']);
});

test('a missing history and one with a newer schema exit with 2 and a one-line error', async t => {
	t.timeout(90_000);
	await using runs = await temporaryRuns();
	const none = await probeMatrix('history', 'list', '--history', runs.history);
	t.is(none.exitCode, 2);
	t.regex(none.stderr, /^probe-matrix: There is no history in .*starts one\.$/);
	runs.keep({id: 'r1', cells: {'k a/b': 'pass'}});
	using database = new DatabaseSync(path.join(runs.history, 'index.sqlite'));
	database.exec('PRAGMA user_version = 99');
	const newer = await probeMatrix('history', 'list', '--history', runs.history);
	t.is(newer.exitCode, 2);
	t.regex(
		newer.stderr,
		/^probe-matrix: The history of .* has schema 99.*: a newer version wrote it\. Update, or use another directory/,
	);
	t.is((await probeMatrix('history', 'list')).exitCode, 2);
});

// SPDX-License-Identifier: GPL-2.0
import {readFile, writeFile} from 'node:fs/promises';
import path from 'node:path';
import test from 'ava';
import {parseRun, readRun} from '../results/run/read-run.ts';
import {probeMatrix, probeMatrixInWorkflow, temporaryRuns} from '../test/fake-cli.ts';
import type {FakeRun} from '../test/fake-run.ts';

const parts = [['k'], ['l']];
const one: FakeRun = {id: 'r1', cells: {'k a/b': 'pass'}, run: {shard: {index: 1, parts}}};
const two: FakeRun = {id: 'r2', cells: {'l a/b': 'pass'}, run: {shard: {index: 2, parts}}};

test('the merged run is written to a file and kept in a history', async t => {
	t.timeout(90_000);
	await using runs = await temporaryRuns();
	const out = path.join(runs.path, 'whole');
	const files = [await runs.file('1', one), await runs.file('2', two)];
	const ended = await probeMatrix('merge', ...files, '--json', out, '--history', runs.history);
	t.is(ended.exitCode, 0, ended.stderr);
	t.is(ended.stdout, '');
	t.like(await readRun(out), {run: {id: 'r1-merged', command: 'merge'}, cells: {length: 2}, isInterrupted: false});
	t.is(await readFile(out, 'utf8'), await readFile(path.join(runs.history, 'runs', 'r1-merged.jsonl'), 'utf8'));
});

test('missing shards and kernels are named, and exit with 3', async t => {
	t.timeout(90_000);
	await using runs = await temporaryRuns();
	const ended = await probeMatrix('merge', await runs.file('2', two), '--kernel', 'l', '--kernel', 'm');
	t.is(ended.exitCode, 3);
	t.regex(
		ended.stderr,
		/^probe-matrix: shard 1 is missing: k\.\nprobe-matrix: kernel m is missing: none of the files has it\.\n/,
	);
	t.is(ended.stdout.split('\n').length, 3, 'run, kernel, cell, and no end');
});

test('a failure in a shard is a failure of the merged run', async t => {
	t.timeout(90_000);
	await using runs = await temporaryRuns();
	const files = [await runs.file('1', {...one, cells: {'k a/b': 'hang'}}), await runs.file('2', two)];
	t.is((await probeMatrix('merge', ...files)).exitCode, 1);
});

test('in a GitHub workflow, failures are annotated where the events are not', async t => {
	t.timeout(90_000);
	await using runs = await temporaryRuns();
	const files = [await runs.file('1', {...one, cells: {'k a/b': 'fail'}}), await runs.file('2', two)];
	const annotated = /^::error title=k › a\/b%3A fail::/m;
	const piped = await probeMatrixInWorkflow('merge', ...files);
	t.like(parseRun(`${piped.stdout}\n`, 'the output'), {cells: {length: 2}, isInterrupted: false});
	t.regex(piped.stderr, annotated);
	t.is(piped.exitCode, 1);
	const out = path.join(runs.path, 'whole');
	const filed = await probeMatrixInWorkflow('merge', ...files, '--json', out);
	t.regex(filed.stdout, annotated);
	t.notRegex(filed.stderr, annotated);
	t.is((await readRun(out)).cells.length, 2);
});

test('files that are not shards of one run, and damaged ones, exit with 2 and a one-line error', async t => {
	t.timeout(90_000);
	await using runs = await temporaryRuns();
	const file = await runs.file('1', one);
	const other = await runs.file('2', {...two, run: {...two.run, versions: {node: 'v24', qemu: '9'}}});
	const damaged = path.join(runs.path, 'damaged');
	await writeFile(damaged, `${await readFile(file, 'utf8')}oops\n`);
	for (const [files, message] of [
		[[file, other], /with qemu 10, .* with 9: these are not shards of one run\.$/],
		[[damaged], /damaged, line 5: expected a JSON object, one event\.$/],
		[[path.join(runs.path, 'nowhere')], /The events cannot be read: .*nowhere: no such file or directory/],
	] as const) {
		const {exitCode, stderr, stdout} = await probeMatrix('merge', ...files);
		t.is(exitCode, 2);
		t.regex(stderr, message);
		t.is(stderr.split('\n').length, 1);
		t.is(stdout, '');
	}
	t.is((await probeMatrix('merge')).exitCode, 2);
});

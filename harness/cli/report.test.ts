// SPDX-License-Identifier: GPL-2.0
import {mkdtempDisposable, readFile, writeFile} from 'node:fs/promises';
import {tmpdir} from 'node:os';
import path from 'node:path';
import test from 'ava';
import {execa} from 'execa';
import {UsageError} from '../host/errors.ts';
import {HistoryLog} from '../results/history/history-log.ts';
import {type ReportFormat, reportFormats} from '../results/reports/formats.ts';
import {countVerdicts} from '../results/run/cell-name.ts';
import type {RunRecord} from '../results/run/read-run.ts';
import {temporaryRuns} from '../test/fake-cli.ts';
import {sampleRun} from '../test/sample-run.ts';
import {type ReportOptions, report} from './report.ts';

async function writeEvents(file: string, {run, kernels, cells, end}: RunRecord): Promise<string> {
	const events = [run, ...kernels, ...cells, ...(end ? [end] : [])];
	await writeFile(file, events.map(event => `${JSON.stringify(event)}\n`).join(''));
	return file;
}

/** A run of an earlier day of November, in which each cell that passes took so long. */
const earlier = (record: RunRecord, {day, durationMs}: {day: number; durationMs: number}): RunRecord => ({
	...record,
	run: {...record.run, id: `202611${day}T120000Z-0000`, startedAt: `2026-11-${day}T12:00:00.000Z`},
	cells: record.cells.filter(({verdict}) => verdict === 'pass').map(cell => ({...cell, durationMs})),
});

const beginnings: Readonly<Record<ReportFormat, RegExp>> = {
	html: /^<!doctype html>/,
	junit: /^<\?xml /,
	tap: /^TAP version 14\n/,
	ktap: /^KTAP version 1\n/,
	markdown: /^## probe-matrix/,
	github: /^::error /,
};

for (const [format, beginning] of Object.entries(beginnings)) {
	test(`a report as ${format} is written`, async t => {
		await using directory = await mkdtempDisposable(path.join(tmpdir(), 'report-'));
		const file = await writeEvents(path.join(directory.path, 'events.jsonl'), sampleRun());
		const out = path.join(directory.path, 'report');
		// The keys are those of `beginnings`.
		await report([file], {format: format as ReportFormat, out});
		t.regex(await readFile(out, 'utf8'), beginning);
	});
}

test('of several files, the newest is reported and the others are its history; a baseline comes first', async t => {
	await using directory = await mkdtempDisposable(path.join(tmpdir(), 'report-'));
	const now = await writeEvents(path.join(directory.path, 'now.jsonl'), sampleRun());
	const [older, old] = [
		await writeEvents(path.join(directory.path, 'older.jsonl'), earlier(sampleRun(), {day: 20, durationMs: 10})),
		await writeEvents(path.join(directory.path, 'old.jsonl'), earlier(sampleRun(), {day: 21, durationMs: 30})),
	];
	const out = path.join(directory.path, 'report');
	await report([older, now, old], {format: 'html', baseline: old, out});
	const text = await readFile(out, 'utf8');
	t.regex(text, /<h1>probe-matrix 20261122T120000Z-0000</);
	t.regex(text, /<svg class="spark"[^>]* aria-label="10 ms, 30 ms; now \d+ ms"/);
	t.regex(text, /New failures \(3\)/);
});

test('runs of a history directory are the history, oldest first, and baselines by name', async t => {
	await using directory = await mkdtempDisposable(path.join(tmpdir(), 'report-'));
	const history = path.join(directory.path, 'history');
	const record = sampleRun();
	for (const [day, durationMs] of [
		[20, 10],
		[21, 30],
	] as const) {
		const log = new HistoryLog(history, {onTrouble: t.fail});
		const {run, cells} = earlier(record, {day, durationMs});
		const end = {type: 'end', counts: countVerdicts(cells), durationMs: 1000, exitCode: 0} as const;
		for (const event of [run, ...record.kernels.slice(1), ...cells, end]) log.write(event);
		log.close();
	}
	const file = await writeEvents(path.join(directory.path, 'now.jsonl'), record);
	const out = path.join(directory.path, 'report');
	await report([file], {format: 'html', history, baseline: 'last-green', out});
	const text = await readFile(out, 'utf8');
	t.regex(text, /aria-label="10 ms, 30 ms; now \d+ ms"/);
	t.regex(text, /New failures \(3\)/);
});

test('with a history, what is slower is told by the runs before the baseline, and not by those after it', async t => {
	await using runs = await temporaryRuns();
	const lasting = (...durationsMs: readonly number[]) => ({
		cells: {'k a/b': durationsMs.map(durationMs => ({durationMs}))},
	});
	const slow = [200, 201, 202, 203, 204];
	for (const id of ['r1', 'r2', 'r3']) runs.keep({id, ...lasting(100, 101, 102, 103, 104)});
	runs.keep({id: 'r4', ...lasting(100)});
	for (const id of ['r5', 'r6', 'r7', 'r8']) runs.keep({id, ...lasting(...slow)});
	const out = path.join(runs.path, 'report');
	const isSlower = async (baseline: string) => {
		await report([await runs.file('now', {id: 'r9', ...lasting(...slow)})], {
			...{format: 'html', history: runs.history, baseline, out},
		});
		return /Slower \(1\)/.test(await readFile(out, 'utf8'));
	};
	t.deepEqual([await isSlower('r4'), await isSlower('r8')], [true, false]);
});

test('the first run has no baseline, and a merged run is never compared with its own shards', async t => {
	await using directory = await mkdtempDisposable(path.join(tmpdir(), 'report-'));
	const history = path.join(directory.path, 'history');
	const record = sampleRun();
	const cells = record.cells.filter(({verdict}) => verdict === 'pass');
	const log = new HistoryLog(history, {onTrouble: t.fail});
	for (const event of [record.run, ...cells]) log.write(event);
	log.write({type: 'end', counts: countVerdicts(cells), durationMs: 1000, exitCode: 0});
	log.close();
	const file = await writeEvents(path.join(directory.path, 'now.jsonl'), record);
	const out = path.join(directory.path, 'report');
	await report([file], {format: 'html', history, baseline: 'last-green', out});
	t.false((await readFile(out, 'utf8')).includes('id="changes"'));
});

const wrong: Readonly<Record<string, {options: Partial<ReportOptions>; files?: number; message: RegExp}>> = {
	'a missing file': {files: 0, options: {}, message: /cannot be read/},
	'several runs in a format for one run': {files: 2, options: {format: 'junit'}, message: /shows one run/},
	'a baseline in a format without changes': {options: {format: 'tap', baseline: '/x'}, message: /shows no changes/},
	'a history in a format without one': {options: {format: 'tap', history: '/x'}, message: /shows no history/},
	'an output that cannot be written': {options: {out: '/proc/report'}, message: /cannot be written/},
};

for (const [name, {options, files = 1, message}] of Object.entries(wrong)) {
	test(`${name} is rejected`, async t => {
		await using directory = await mkdtempDisposable(path.join(tmpdir(), 'report-'));
		const file = await writeEvents(path.join(directory.path, 'events.jsonl'), sampleRun());
		const given = files === 0 ? ['/nowhere.jsonl'] : Array.from({length: files}, () => file);
		await t.throwsAsync(report(given, {format: 'html', ...options}), {instanceOf: UsageError, message});
	});
}

test('without --out, standard output holds the report and nothing else', async t => {
	t.timeout(60_000);
	await using directory = await mkdtempDisposable(path.join(tmpdir(), 'report-'));
	const file = await writeEvents(path.join(directory.path, 'events.jsonl'), sampleRun());
	const main = path.join(import.meta.dirname, 'main.js');
	const {stdout} = await execa(process.execPath, [main, 'report', file, '--format', 'ktap']);
	t.is(`${stdout}\n`, reportFormats.ktap.write({record: sampleRun()}));
});

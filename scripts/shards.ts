// SPDX-License-Identifier: GPL-2.0
/**
 * Tests with real runs that merged shards equal the whole run, by default with a few cells on three Debian kernels.
 * Runs them whole and in three shards, merges, and compares cell by cell; also merges what must be rejected. Exits with
 * 1 on a difference.
 *
 *   npx node scripts/shards.ts [options of probe-matrix run]
 */
import {mkdtempDisposableSync, readFileSync, writeFileSync} from 'node:fs';
import {tmpdir} from 'node:os';
import path from 'node:path';
import {execa} from 'execa';
import {cellKey} from '../harness/results/run/cell-summary.ts';
import {type RunRecord, readRun} from '../harness/results/run/read-run.ts';

const few = ['--match', 'module/*', '--match', 'return/return-value'];
const kernels = ['debian-5.10', 'debian-6.1', 'debian-6.12'].flatMap(id => ['--kernel', id]);
const asked = process.argv.slice(2);
const options = asked.length > 0 ? asked : [...kernels, ...few];
const count = 3;

using directory = mkdtempDisposableSync(path.join(tmpdir(), 'shards-'));
const fileOf = (name: string) => path.join(directory.path, `${name}.jsonl`);
const problems: string[] = [];

const wholeExit = await probeMatrix(['run', ...options, '--json', fileOf('whole')]);
const parts: string[] = [];
for (let index = 1; index <= count; index++) {
	const part = fileOf(`part-${index}`);
	await probeMatrix(['run', ...options, '--shard', `${index}/${count}`, '--json', part]);
	parts.push(part);
}

const merged = await probeMatrix(['merge', ...parts, '--json', fileOf('merged')]);
check(
	merged.exitCode === wholeExit.exitCode,
	`the whole ended with ${wholeExit.exitCode}, its parts ${merged.exitCode}`,
);
const [whole, joined] = [await readRun(fileOf('whole')), await readRun(fileOf('merged'))];
const [before, after] = [endsOf(whole), endsOf(joined)];
for (const [cell, end] of before)
	check(after.get(cell) === end, `${cell}: ${end} in the whole, ${after.get(cell)} in parts`);
for (const cell of after.keys()) check(before.has(cell), `${cell} is in the parts only`);
check(!joined.isInterrupted && joined.cells.length === whole.cells.length, 'the parts hold as many cells');

const [first, ...others] = parts;
const short = await probeMatrix(['merge', ...others, '--json', fileOf('short')]);
const lost = (await readRun(first!)).run.shard!.parts[0]!;
check(short.exitCode === (wholeExit.exitCode === 1 ? 1 : 3), `without a part: ${short.exitCode}`);
check(short.stderr.includes(`shard 1 is missing: ${lost.join(', ')}.`), `the missing part is named: ${short.stderr}`);

const [run, ...rest] = readFileSync(first!, 'utf8').split('\n');
const other = {...JSON.parse(run!), versions: {...whole.run.versions, qemu: '0.9'}};
writeFileSync(fileOf('older'), [JSON.stringify(other), ...rest].join('\n'));
const mixed = await probeMatrix(['merge', fileOf('older'), ...others, '--json', fileOf('mixed')]);
check(
	mixed.exitCode === 2 && mixed.stderr.includes('with qemu 0.9'),
	`mixed versions: ${mixed.exitCode}, ${mixed.stderr}`,
);

const seconds = (record: RunRecord) => `${((record.end?.durationMs ?? 0) / 1000).toFixed(1)} s`;
process.stdout.write(
	[
		`whole: ${whole.cells.length} cells in ${seconds(whole)}; ${count} parts, merged: ${joined.cells.length} cells, the longest ${seconds(joined)}`,
		`kernels of the parts: ${joined.kernels.map(({kernel}) => kernel).join(', ')}`,
		`${problems.length} problems`,
		...problems,
		'',
	].join('\n'),
);
process.exitCode = problems.length > 0 ? 1 : 0;

function check(isRight: boolean, sentence: string): void {
	if (!isRight) problems.push(sentence);
}

function endsOf({cells}: RunRecord): ReadonlyMap<string, string> {
	return new Map(cells.map(cell => [`${cellKey(cell)}, repeat ${cell.repeat}`, cell.verdict]));
}

async function probeMatrix(args: readonly string[]): Promise<{exitCode?: number; stderr: string}> {
	const main = path.resolve(import.meta.dirname, '../harness/cli/main.js');
	process.stderr.write(`shards: probe-matrix ${args.join(' ')}\n`);
	return execa(process.execPath, [main, ...args], {reject: false, stderr: ['pipe', 'inherit'], stdout: 'ignore'});
}

// SPDX-License-Identifier: GPL-2.0
import test from 'ava';
import {sampleRun} from '../../test/sample-run.ts';
import type {CellEvent} from '../run/events.ts';
import {formatTap} from './tap.ts';

const linesOf = (text: string) => text.trimEnd().split('\n');

/** Result lines of one level, without YAML blocks. */
function pointsOf(lines: readonly string[], indent: string): string[] {
	return lines.filter(line => line.startsWith(indent) && /^(?:not )?ok \d/.test(line.slice(indent.length)));
}

test('each kernel is a subtest with a plan at its end, numbered without gaps', t => {
	const lines = linesOf(formatTap(sampleRun()));
	t.is(lines[0], 'TAP version 14');
	t.is(lines.at(-1), '1..4');
	t.deepEqual(pointsOf(lines, ''), [
		'not ok 1 - 4.15.18+debug',
		'not ok 2 - 4.15.11',
		'ok 3 - 4.15.18',
		'not ok 4 - debian-6.1',
	]);
	const start = lines.indexOf('# Subtest: 4.15.18');
	const subtest = lines.slice(start, lines.indexOf('ok 3 - 4.15.18'));
	const points = pointsOf(subtest, '    ');
	t.is(subtest.at(-1), `    1..${points.length}`);
	points.forEach((line, index) => {
		t.true(line.startsWith(`    ok ${index + 1} - `), line);
	});
});

test('a skip has its reason, and no text becomes a directive', t => {
	const text = formatTap(sampleRun());
	t.true(text.includes(String.raw`bprobe tooling/bpftool # SKIP bpftool \# is not \\ in this guest's <image>`));
	t.false(text.includes('# TODO\n    ok'));
});

test('a known failing is not ok, but TODO, which does not fail a run', t => {
	const run = sampleRun({kernels: ['debian-6.1'], cases: 1});
	const [cell] = run.cells.filter(({kernel, verdict}) => kernel === 'debian-6.1' && verdict === 'fail');
	const known: CellEvent = {...cell!, verdict: 'known', message: 'Linux 6.1 has that bug.'};
	const lines = linesOf(
		formatTap({...run, kernels: run.kernels.filter(({kernel}) => kernel === 'debian-6.1'), cells: [known]}),
	);
	t.deepEqual(
		pointsOf(lines, '    ').map(line => line.replace(/ - .* #/, ' - … #')),
		['    not ok 1 - … # TODO Linux 6.1 has that bug.'],
	);
	t.deepEqual(pointsOf(lines, ''), ['ok 1 - debian-6.1']);
});

test('text of a guest stays inside its YAML block', t => {
	const lines = linesOf(formatTap(sampleRun()));
	const mine = lines.filter(line => line.includes('not ok 1 - not mine') && !line.includes('"'));
	t.true(mine.length > 0);
	// YAML blocks of kernels are indented less than those of cells.
	for (const line of mine) t.regex(line, /^ {4,}/);
	// A line of dots with the same indentation ends a block.
	const [opened, closed] = ['      ---', '      ...'].map(mark => lines.filter(line => line === mark).length);
	t.is(opened, closed);
	t.false(/[^\P{C}\n\t]/u.test(lines.join('\n')));
});

test('an unusable kernel is reported once, with details below', t => {
	const lines = linesOf(formatTap(sampleRun()));
	const at = lines.indexOf('not ok 2 - 4.15.11');
	const block = lines.slice(at + 1, lines.indexOf('  ...', at));
	t.deepEqual(block.slice(0, 4), [
		'  ---',
		'  state: "failed"',
		'  reason: |2-',
		'    Linux 4.15.11 did not boot: triple fault at secondary_startup_64+0x5d',
	]);
	t.true(block.includes('  not_run: 34'));
	t.true(block.includes('    the last line <of> it'));
});

test('an interrupted run bails out', t => {
	t.regex(linesOf(formatTap(sampleRun({isInterrupted: true}))).at(-1)!, /^Bail out! .*interrupted.* 73 of 115 cells/);
});

test('repeats are numbered from the second on, and a flaky failure is told', t => {
	const run = sampleRun({kernels: ['debian-6.1'], cases: 1});
	const [cell] = run.cells.filter(({verdict}) => verdict === 'hang');
	const {flaky: _, ...bad} = cell!;
	const cells: readonly CellEvent[] = [bad, {...bad, repeat: 1, flaky: true}];
	const lines = linesOf(formatTap({...run, kernels: [], cells}));
	t.deepEqual(pointsOf(lines, '    '), [
		'    not ok 1 - bprobe return/bad-hang[asm]',
		'    not ok 2 - bprobe return/bad-hang[asm] (2)',
	]);
	t.deepEqual(
		lines.filter(line => line.includes('verdict: ')).map(line => line.trim()),
		['verdict: "hang"', 'verdict: "hang, flaky"'],
	);
});

test('a kernel that gives no reason says so', t => {
	const run = sampleRun({kernels: [], cases: 0});
	const kernel = {type: 'kernel', kernel: 'k', state: 'failed', notRun: 1} as const;
	t.true(linesOf(formatTap({...run, cells: [], kernels: [kernel]})).includes('  reason: "No reason is given."'));
});

test('a failure tells where its whole console is', t => {
	t.true(linesOf(formatTap(sampleRun())).includes('      console_path: "/var/runs/1/debian-6.1.console"'));
});

test('a kernel without cells has no subtest, which would be empty', t => {
	const lines = linesOf(formatTap(sampleRun()));
	t.false(lines.includes('# Subtest: 4.15.11'));
	t.true(lines.includes('# Subtest: 4.15.18'));
	t.false(lines.includes('    1..0'));
});

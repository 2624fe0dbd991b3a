// SPDX-License-Identifier: GPL-2.0
import {stripVTControlCharacters} from 'node:util';
import test from 'ava';
import type {CellEvent} from './events.ts';
import {formatCell, formatCounts, formatTable} from './table.ts';
import type {Verdict} from './verdict.ts';

const cell = (title: string, verdict: Verdict = 'pass', durationMs = 100): CellEvent => {
	const [, id, target] = /^([^[]+)(?:\[(.+)\])?$/.exec(title)!;
	return {
		type: 'cell',
		kernel: 'debian-6.1',
		mechanism: 'bprobe',
		case: id!,
		...(target && {target}),
		repeat: 0,
		verdict,
		durationMs,
	};
};

const lines = (text: string) => stripVTControlCharacters(text).split('\n');

test('a table counts the cells of each suite by target, with their time', t => {
	const cells = [cell('module/loads'), cell('entry/flags[c]'), cell('entry/flags[asm]', 'fail', 1900)];
	const order = {suites: ['module', 'entry'], targets: ['asm', 'c']};
	t.deepEqual(lines(formatTable(cells, {order})), [
		'debian-6.1  –  asm  c  cells   time',
		'───────────────────────────────────',
		'module      1    ·  ·      1  0.1 s',
		'entry       ·  0/1  1    1/2  2.0 s',
		'───────────────────────────────────',
		'all         1  0/1  1    2/3  2.1 s',
		'',
	]);
});

test('suites are in the order of the plan, not of finishing', t => {
	const cells = [cell('race/x[c]'), cell('own/x[asm]'), cell('module/x'), cell('entry/x[z]')];
	const order = {suites: ['module', 'entry', 'return', 'race'], targets: ['asm', 'c']};
	const text = stripVTControlCharacters(formatTable(cells, {order}));
	t.regex(text, /^debian-6\.1 +– +asm +c +z +cells/);
	t.deepEqual(text.match(/^(module|entry|race|own)/gm), ['module', 'entry', 'race', 'own']);
});

test('a table of a thousand cells fits into 80 columns', t => {
	const targets = ['', '[asm]', '[asm-fentry]', '[c]', '[vmlinux]'];
	const cells = targets.flatMap(target =>
		Array.from({length: 200}, (_, n) => cell(`tooling/case${target}`, n ? 'pass' : 'fail', 10_000)),
	);
	t.true(Math.max(...lines(formatTable(cells)).map(line => line.length)) <= 80);
});

test('several kernels have a column each, including an unavailable one', t => {
	const cells = [cell('module/loads'), cell('entry/x', 'fail'), {...cell('module/loads', 'skip'), kernel: '4.15.18'}];
	t.deepEqual(lines(formatTable(cells, {missing: new Map([['debian-7.2', 'unavailable']])})), [
		'        debian-6.1  4.15.18   debian-7.2',
		'────────────────────────────────────────',
		'module           1      0/1            ·',
		'entry          0/1        ·            ·',
		'────────────────────────────────────────',
		'all            1/2      0/1  unavailable',
		'time         0.2 s    0.1 s        0.0 s',
		'',
	]);
});

test('a run whose only kernel is unavailable shows that', t => {
	t.deepEqual(lines(formatTable([], {missing: new Map([['4.15.18', 'unavailable']])})), [
		'          4.15.18',
		'─────────────────',
		'all   unavailable',
		'time        0.0 s',
		'',
	]);
	t.is(formatCounts([]), 'nothing ran');
});

test('a kernel that became unusable shows its cells and its state', t => {
	const cells = [cell('module/loads'), cell('entry/x', 'fail'), {...cell('module/loads'), kernel: 'l'}];
	t.deepEqual(lines(formatTable(cells, {missing: new Map([['debian-6.1', 'failed']])})), [
		'        debian-6.1      l',
		'─────────────────────────',
		'module           1      1',
		'entry          0/1      ·',
		'─────────────────────────',
		'all         failed      1',
		'time         0.2 s  0.1 s',
		'',
	]);
	t.is(stripVTControlCharacters(formatCounts(cells, 12)), '2 pass, 1 fail, 12 not run');
	t.is(stripVTControlCharacters(formatCounts([], 214)), '214 not run');
});

test('many kernels are split into blocks of at most 80 columns', t => {
	const kernels = Array.from({length: 9}, (_, n) => `4.15.18+nopreempt${n}`);
	const text = formatTable(kernels.map(kernel => ({...cell('tooling/x'), kernel})));
	t.true(Math.max(...lines(text).map(line => line.length)) <= 80);
	for (const kernel of kernels) t.true(text.includes(kernel));
});

/** The rows of a coloured table that are red, of each block. */
function redRows(text: string): string[][] {
	const isRed = (line: string) => line.startsWith('\u001b[31m');
	const nameOf = (line: string) => stripVTControlCharacters(line).split(' ')[0]!;
	return text.split('\n\n').map(block => block.split('\n').filter(isRed).map(nameOf));
}

test.serial('a row is red in the block of the kernel that failed or is missing, and in no other', t => {
	const {FORCE_COLOR, NO_COLOR} = process.env;
	t.teardown(() => {
		for (const [name, value] of Object.entries({FORCE_COLOR, NO_COLOR})) {
			if (value === undefined) delete process.env[name];
			else process.env[name] = value;
		}
	});
	delete process.env.NO_COLOR;
	process.env.FORCE_COLOR = '1';
	const kernels = Array.from({length: 12}, (_, n) => `4.15.18+nopreempt${n}`);
	const table = (bad: readonly string[], missing: readonly string[]) =>
		formatTable(
			kernels.flatMap(kernel => [
				{...cell('tooling/x'), kernel},
				{...cell('entry/x', bad.includes(kernel) ? 'fail' : 'pass'), kernel},
			]),
			{missing: new Map(missing.map(kernel => [kernel, 'failed']))},
		);
	t.deepEqual(redRows(table([], [])), [[], [], [], []]);
	t.deepEqual(redRows(table([kernels[4]!], [])), [[], ['entry', 'all'], [], []]);
	t.deepEqual(redRows(table([kernels[0]!], [kernels[11]!])), [['entry', 'all'], [], [], ['all']]);
	const [one] = redRows(formatTable([cell('tooling/x'), cell('entry/x', 'crash'), cell('misc/x', 'known')]));
	t.deepEqual(one, ['entry', 'all']);
});

test('counts name the verdicts that occur', t => {
	const cells = [cell('a/b'), cell('a/c', 'crash'), cell('a/d', 'skip'), cell('a/e')];
	t.is(stripVTControlCharacters(formatCounts(cells)), '2 pass, 1 crash, 1 skip');
});

test("a cell's line has verdict, kernel, title and time", t => {
	t.regex(
		stripVTControlCharacters(formatCell(cell('entry/flags[asm]', 'hang', 1234))),
		/^hang +debian-6\.1 entry\/flags\[asm\] 1\.23 s$/,
	);
});

test('flaky cells are told in their lines and counted', t => {
	const flaky = {...cell('a/b', 'fail'), flaky: true} as const;
	t.is(stripVTControlCharacters(formatCounts([flaky, cell('a/c')])), '1 pass, 1 fail (1 flaky)');
	t.regex(stripVTControlCharacters(formatCell(flaky)), /^fail +debian-6\.1 a\/b 0\.10 s, flaky$/);
});

test('a single suite has a row, too, and one above the sum', t => {
	t.deepEqual(lines(formatTable([cell('a/b')])).length, 6);
	t.regex(lines(formatTable([cell('a/b')]))[2]!, /^a +1 +1 +0\.1 s$/);
});

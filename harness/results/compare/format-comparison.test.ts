// SPDX-License-Identifier: GPL-2.0
import {stripVTControlCharacters} from 'node:util';
import test from 'ava';
import {asText, type FakeRun, fakeRun} from '../../test/fake-run.ts';
import {parseRun} from '../run/read-run.ts';
import {compareRuns} from './compare-runs.ts';
import {fit, formatComparison} from './format-comparison.ts';

const format = (before: FakeRun, after: FakeRun) => {
	const [old, now] = [before, after].map(run => parseRun(asText(fakeRun(run)), 'x'));
	return stripVTControlCharacters(formatComparison(compareRuns(old!, now!), old!, now!));
};

test('a comparison lists differences and counts repeats', t => {
	const text = format(
		{id: 'r1', cells: {'k a/b': 'pass', 'k a/c': 'fail', 'k a/d': 'pass', 'l a/b': 'pass'}},
		{id: 'r2', cells: {'k a/b': ['pass', 'pass', 'fail'], 'k a/c': 'pass', 'k a/d': 'skip', 'k a/e': 'pass'}},
	);
	t.is(
		text,
		`before  r1  4 cells, exit status 1
after   r2  4 cells, exit status 1

new failures: 1
  k a/b  pass → fail (1 of 3)
    a fail

no longer tested: 1
  k a/d  pass → skip
    a skip

fixed: 1
  k a/c  fail → pass

gone: 1
  l: 1
    a/b

new: 1
  k: 1
    a/e
`,
	);
});

test('an interrupted run is shown as such', t => {
	const text = format(
		{id: 'r1', cells: {'k a/b': 'pass'}},
		{id: 'r2', cells: {}, run: {cells: 7}, isInterrupted: true},
	);
	t.regex(text, /after {3}r2 {2}0 of 7 cells, interrupted/);
	t.regex(text, /not reached, or gone: 1/);
});

test('a lost kernel is listed once with its reason, and a regained one once', t => {
	const lost = {type: 'kernel', kernel: 'k', state: 'failed', reason: 'it died\nand more', notRun: 2} as const;
	const whole: FakeRun = {id: 'r1', cells: {'k a/b': 'pass', 'k a/c': 'pass'}};
	const broken: FakeRun = {id: 'r2', kernels: [lost], exitCode: 3};
	t.is(
		format(whole, broken),
		`before  r1  2 cells, exit status 0
after   r2  0 cells, 2 not run, exit status 3

kernels that became unusable: 1
  k: failed; 2 cells ran before
    it died
`,
	);
	t.true(format(broken, whole).endsWith('\nkernels that are usable again: 1\n  k: 2 cells\n'));
});

test('equal runs show no difference', t => {
	t.regex(format({cells: {'k a/b': 'fail'}}, {cells: {'k a/b': 'fail'}}), /no difference/);
});

test('long names and messages fit into 80 columns, and guest text cannot emit escape sequences', t => {
	const name = `/home/${'x'.repeat(200)} ${'suite/'.padEnd(150, 'y')}`;
	const text = format(
		{id: 'r'.repeat(100), cells: {[name]: 'pass', [`${name}z`]: 'pass', [`${name}q`]: 'fail'}},
		{cells: {[name]: [{verdict: 'fail', message: `${'\u001B[2J\u0007m'.repeat(200)}`}], [`${name}q`]: 'pass'}},
	);
	for (const line of text.split('\n')) t.true(line.length <= 80, line);
	t.false(text.includes('\u0007'));
});

test('fit keeps both ends of a long text', t => {
	t.is(fit('abcdefghij', 10), 'abcdefghij');
	t.is(fit('abcdefghijk', 10), 'abcde…hijk');
});

test('a cell that fails in another way shows both messages, the old one first', t => {
	const said = (message: string) => [{verdict: 'fail', message}] as const;
	t.true(
		format({cells: {'k a/b': said('one\nmore')}}, {cells: {'k a/b': said('two')}}).endsWith(
			'\nanother message: 1\n  k a/b  fail → fail\n    one\n    two\n',
		),
	);
});

test('a slower cell shows the time before and now', t => {
	const took = (base: number) => Array.from({length: 10}, (_, n) => ({durationMs: base + n}));
	t.true(
		format({cells: {'k a/b': took(1000)}}, {cells: {'k a/b': took(2000)}}).endsWith(
			'\nslower: 1\n  k a/b  1.00 s → 2.00 s\n',
		),
	);
});

test('of many cells that are gone on a kernel ten are named, and the others counted', t => {
	const cells = (count: number) =>
		Object.fromEntries(Array.from({length: count}, (_, n) => [`k a/c${n + 10}`, 'pass'] as const));
	const goneOf = (count: number) =>
		format({cells: cells(count)}, {cells: {}})
			.split('\n')
			.slice(3, -1);
	t.deepEqual(goneOf(10).slice(-2), ['    a/c18', '    a/c19']);
	t.deepEqual(goneOf(11).slice(-2), ['    a/c19', '    and 1 more']);
	t.deepEqual(goneOf(13).slice(0, 2), ['gone: 13', '  k: 13']);
	t.is(goneOf(13).at(-1), '    and 3 more');
});

test('a cell that failed in none of its repeats is not counted by repeats', t => {
	t.regex(
		format({cells: {'k a/b': ['fail', 'fail']}}, {cells: {'k a/b': ['pass', 'pass']}}),
		/fail \(2 of 2\) → pass\n/,
	);
});

test('a single cell that did not run is counted', t => {
	const lost = {type: 'kernel', kernel: 'k', state: 'failed', reason: 'no', notRun: 1} as const;
	t.regex(
		format({cells: {}}, {id: 'r2', kernels: [lost], exitCode: 3}),
		/^after {3}r2 {2}0 cells, 1 not run, exit status 3$/m,
	);
});

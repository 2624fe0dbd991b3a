// SPDX-License-Identifier: GPL-2.0
import test from 'ava';
import {hostile, sampleRun} from '../../test/sample-run.ts';
import type {CellEvent} from '../run/events.ts';
import {formatAnnotations, withoutCommands} from './annotations.ts';

const cell: CellEvent = {
	type: 'cell',
	kernel: 'k:1,2',
	mechanism: 'bprobe',
	case: 'entry/flags',
	repeat: 0,
	verdict: 'fail',
	durationMs: 1,
	message: '100 % wrong\r\nand more',
};

test('an annotation is one line, whatever its text contains', t => {
	t.is(
		formatAnnotations({kernels: [], cells: [cell]}),
		"::error title=k%3A1%2C2 › entry/flags%3A fail::100 %25 wrong%0Aand more%0Aagain: npx probe-matrix run --kernel k:1,2 --match 'entry/flags'\n",
	);
});

test('failures are errors, cells and kernels that could not run are warnings', t => {
	const lines = formatAnnotations(sampleRun()).trimEnd().split('\n');
	t.deepEqual(
		lines.map(line => /^::(\w+) title=(?:.*bad-)?([\w-]*)/.exec(line)!.slice(1).join(' ')),
		['error crash', 'error fail', 'error hang', 'warning 4', 'warning 4', 'warning inconclusive', 'warning infra'],
	);
	t.true(lines.every(line => line.startsWith('::')));
});

test('GitHub shows ten annotations per level, so the tenth counts the rest', t => {
	const cells = Array.from({length: 25}, () => cell);
	const lines = formatAnnotations({kernels: [], cells}).trimEnd().split('\n');
	t.is(lines.length, 10);
	t.regex(lines.at(-1)!, /title=16 more/);
	t.is(formatAnnotations({kernels: [], cells: cells.slice(0, 10)}).split('\n').length, 11);
});

test('text of a guest cannot contain workflow commands', t => {
	const [first, ...rest] = withoutCommands(hostile).trimEnd().split('\n');
	const token = /^::stop-commands::([\w-]{20,})$/.exec(first!)![1]!;
	t.is(rest.pop(), `::${token}::`);
	t.is(rest.join('\n'), hostile);
	t.not(withoutCommands('').split('\n')[0], first, 'a guest cannot know the word that ends it');
});

test('an unusable kernel is one warning for all its cells', t => {
	const kernel = {type: 'kernel', kernel: 'k', state: 'failed', reason: 'it died\nand more', notRun: 214} as const;
	t.is(
		formatAnnotations({kernels: [kernel], cells: [{...cell, kernel: 'k', verdict: 'pass'}]}),
		'::warning title=k%3A failed::it died; 214 cells did not run%0Aagain: npx probe-matrix run --kernel k\n',
	);
});

test('a failure that passed when it was run again is told as flaky', t => {
	t.regex(formatAnnotations({kernels: [], cells: [{...cell, flaky: true}]}), /^::error title=[^:]*fail%2C flaky::/m);
	t.notRegex(formatAnnotations({kernels: [], cells: [cell]}), /flaky/);
});

test('text that ends with a line end gets no other one before the word that ends it', t => {
	for (const text of ['a', 'a\n']) t.regex(withoutCommands(text), /^::stop-commands::(\S+)\na\n::\1::\n$/);
});

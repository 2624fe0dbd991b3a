// SPDX-License-Identifier: GPL-2.0
import {mkdtempDisposable, writeFile} from 'node:fs/promises';
import {tmpdir} from 'node:os';
import path from 'node:path';
import test from 'ava';
import {UsageError} from '../../host/errors.ts';
import {asText, fakeRun} from '../../test/fake-run.ts';
import type {Event} from './events.ts';
import {parseRun, readRun} from './read-run.ts';

const events = fakeRun({cells: {'k entry/flags[asm]': ['pass', 'fail'], 'k module/loads': 'pass'}});
const text = asText(events);
const lines = text.split('\n');

test('a run is read from its file', async t => {
	await using directory = await mkdtempDisposable(path.join(tmpdir(), 'read-run-'));
	const file = path.join(directory.path, 'events.jsonl');
	await writeFile(file, text);
	const {run, kernels, cells, end, isInterrupted} = await readRun(file);
	t.deepEqual([run, ...kernels, ...cells, end], events as Event[]);
	t.false(isInterrupted);
});

test('a missing file is an error that names it', async t => {
	await t.throwsAsync(readRun('/nowhere/x.jsonl'), {instanceOf: UsageError, message: /\/nowhere\/x\.jsonl/});
});

test('a run cut at any position is interrupted, and its complete events are kept', t => {
	for (let length = lines[0]!.length; length < text.length - 1; length++) {
		const {cells, isInterrupted} = parseRun(text.slice(0, length), 'x');
		const whole = text
			.slice(0, length)
			.split('\n')
			.filter(line => line.includes('"type":"cell"')).length;
		t.true(cells.length === whole || cells.length === whole - 1);
		// Only the newline of the last line may be missing from a complete run.
		t.true(isInterrupted);
	}
});

test('a run that lacks only its last newline is complete', t => {
	t.false(parseRun(text.trimEnd(), 'x').isInterrupted);
});

const replaced = (line: number, by: string) => lines.with(line - 1, by).join('\n');
const damages: readonly (readonly [what: string, text: string, message: RegExp])[] = [
	['an empty file', '', /x holds no events\.$/],
	['another text file', 'hello', /x holds no events: its first line/],
	['a line that is not JSON', replaced(3, 'oops'), /^x, line 3: expected a JSON object, one event\.$/],
	['a line that is a list', replaced(3, '[]'), /^x, line 3: expected a JSON object/],
	[
		'an event of unknown type',
		replaced(3, '{"type":"dance"}'),
		/^x, line 3: expected an event whose type is one of run/,
	],
	['a type from Object.prototype', replaced(3, '{"type":"toString"}'), /^x, line 3: expected an event whose type/],
	[
		'a wrong verdict',
		replaced(3, lines[2]!.replace('"pass"', '"great"')),
		/^x, line 3: .*"cell" with a proper "verdict"/,
	],
	['an invalid duration', replaced(3, lines[2]!.replace(':100', ':"100"')), /^x, line 3: .*proper "durationMs"/],
	[
		'a measurement without values',
		replaced(3, '{"type":"measurement","kernel":"k","what":"boot","unit":"ms","budget":1,"values":[]}'),
		/^x, line 3: .*"measurement" with a proper "values"/,
	],
	[
		'a finding of unknown kind',
		replaced(6, lines[5]!.replace('"exitCode"', '"findings":[{"kind":"odd","words":""}],"exitCode"')),
		/^x, line 6: .*"end" with a proper "findings\.0\.kind"/,
	],
	['an id that is a path', replaced(1, lines[0]!.replace('20260101T', '../../')), /^x, line 1: .*proper "id"/],
	['events without a run', lines.slice(1).join('\n'), /^x, line 1: expected the event of type "run" that comes first/],
	['two runs in one file', lines.toSpliced(2, 0, lines[0]!).join('\n'), /^x, line 3: .*probe-matrix merge/],
	['something after the end', `${text}${lines[2]}\n`, /^x, line 7: expected nothing after the event of type "end"/],
	[
		'a newer schema',
		replaced(1, lines[0]!.replace('"schema":1', '"schema":2')),
		/^x has events of schema 2.*Update\.$/,
	],
];
for (const [what, damaged, message] of damages) {
	test(`${what} is rejected`, t => {
		t.throws(() => parseRun(damaged, 'x'), {instanceOf: UsageError, message});
	});
}

test('unknown fields are accepted', t => {
	t.notThrows(() => parseRun(replaced(3, lines[2]!.replace('{', '{"later":1,')), 'x'));
});

// SPDX-License-Identifier: GPL-2.0
import {stripVTControlCharacters} from 'node:util';
import test from 'ava';
import type {CellEvent, Event} from '../results/run/events.ts';
import type {Verdict} from '../results/run/verdict.ts';
import {captureStderr} from '../test/capture-stderr.ts';
import {openProgress} from './progress.ts';

const name = {kernel: 'k', mechanism: 'bprobe', case: 'entry/flags', repeat: 0} as const;
const ended = (verdict: Verdict): Event => ({type: 'ended', ...name, verdict, durationMs: 10});
const cell = (verdict: Verdict, more: Partial<CellEvent> = {}): Event => ({
	...{type: 'cell', ...name, verdict, durationMs: 10},
	...more,
});

/** What is written to stderr for these events, without colours. */
async function shown(isTerminal: boolean, events: readonly Event[]): Promise<readonly string[]> {
	const text = await captureStderr(() => {
		const progress = openProgress({cells: 2, isTerminal});
		for (const event of events) progress.show(event);
		progress.end();
	});
	return text.split('\n').slice(0, -1);
}

test.serial('a verdict is shown once, when its case ends', async t => {
	t.like(await shown(false, [ended('pass'), cell('pass')]), {length: 1});
	t.like(await shown(false, [cell('pass')]), {length: 1});
});

test.serial('a verdict changed by a late kernel report is shown again, with the same number', async t => {
	const lines = await shown(false, [ended('pass'), cell('crash'), cell('pass', {case: 'entry/other'})]);
	t.deepEqual(
		lines.map(line => line.slice(0, 10)),
		['1/2 pass  ', '1/2 crash ', '2/2 pass  '],
	);
});

test.serial('a push is shown with its size and time', async t => {
	t.deepEqual(await shown(false, [{type: 'pushed', kernel: 'k', bytes: 2_840_000, ms: 340}]), [
		'k: pushed 2.8 MB in 340 ms',
	]);
});

test.serial('on a terminal, failures stay and the status line is erased', async t => {
	const [text, ...more] = await shown(true, [{type: 'started', ...name}, ended('pass'), cell('crash')]);
	t.deepEqual(more, []);
	t.regex(text?.replaceAll('\u001b', 'ESC') ?? '', /\rESC\[2Kcrash +k entry\/flags /);
});

test.serial('the status line is not wider than the terminal, however many cells run', async t => {
	const started = Array.from(
		{length: 20},
		(_, n): Event => ({type: 'started', ...name, case: `entry/case-number-${n}`}),
	);
	const [text = ''] = await shown(true, [...started, cell('pass'), cell('crash')]);
	const widths = text.split('\r').map(line => stripVTControlCharacters(line).length);
	t.true(Math.max(...widths) < (process.stderr.columns ?? 80), text);
	t.true(Math.max(...widths) > 40, text);
});

const lost = {type: 'kernel', kernel: 'k', state: 'failed', reason: 'it died\nof this', notRun: 1} as const;

test.serial('cells of a lost kernel count as finished, and its line has the first line of the reason', async t => {
	const lines = await shown(false, [lost, cell('pass', {kernel: 'l'})]);
	t.is(lines[0], 'k: failed: it died; 1 cell did not run');
	t.regex(lines[1]!, /^2\/2 pass /);
});

test.serial('a kernel that is ready is shown with its release and the time of its boot', async t => {
	const ready = {type: 'kernel', kernel: 'k', state: 'ready', release: '6.1.0', bootMs: 400} as const;
	t.deepEqual(await shown(false, [ready]), ['k: ready after 400 ms, Linux 6.1.0']);
});

test.serial('more cells than were planned do not count beyond the sum', async t => {
	const lines = await shown(
		false,
		[0, 1, 2].map(repeat => cell('pass', {repeat})),
	);
	t.deepEqual(
		lines.map(line => line.slice(0, 4)),
		['1/2 ', '2/2 ', '3/3 '],
	);
});

test.serial('repeats of a cell are told apart', async t => {
	t.is((await shown(false, [ended('pass'), cell('pass', {repeat: 1})])).length, 2);
});

test.serial('on a terminal, cells that pass leave no line, and a lost kernel one', async t => {
	const started = {type: 'started', ...name} as const;
	const [text = '', ...more] = await shown(true, [started, {...started, kernel: 'l', case: 'a/b'}, lost, cell('pass')]);
	t.deepEqual(more, []);
	const lines = stripVTControlCharacters(text).split('\r');
	t.true(
		lines.some(line => line.endsWith('k: failed: it died; 1 cell did not run')),
		text,
	);
});

test.serial('on a terminal, the same case that still runs on another kernel stays in the status line', async t => {
	const started = {type: 'started', ...name} as const;
	const [text = ''] = await shown(true, [
		started,
		{...started, kernel: 'l'},
		cell('pass'),
		cell('fail', {case: 'a/b'}),
	]);
	const states = stripVTControlCharacters(text).split('\r');
	t.regex(states.find(state => state.includes('1 pass')) ?? text, /entry\/flags/);
});

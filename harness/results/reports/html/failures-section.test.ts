// SPDX-License-Identifier: GPL-2.0
import test from 'ava';
import type {CellEvent} from '../../run/events.ts';
import type {KernelSummary} from '../../run/kernel-summary.ts';
import {failuresSection, knownSection} from './failures-section.ts';

const cell = (about: Partial<CellEvent> = {}): CellEvent => ({
	...{type: 'cell', kernel: 'k', mechanism: 'bprobe', case: 'a/b', repeat: 0, verdict: 'fail', durationMs: 1},
	...about,
});
const kernel = (about: Partial<KernelSummary> = {}): KernelSummary => ({
	...{kernel: 'k', state: 'failed', hasBooted: false, notRun: 0},
	...about,
});
const textOf = (cells: readonly CellEvent[], kernels: readonly KernelSummary[] = []) =>
	failuresSection(new Map(cells.map((each, index) => [each, `failure-${index}`])), kernels).text;

test('a section without failures says so, and one with a failure or a lost kernel does not', t => {
	const nothing = 'every cell that has a verdict passed or was skipped';
	t.true(textOf([]).includes(nothing));
	t.regex(textOf([]), /What did not pass \(0\)/);
	t.false(textOf([cell()]).includes(nothing));
	t.false(textOf([], [kernel()]).includes(nothing));
});

test('a kernel that gives no reason says so', t => {
	for (const reason of [undefined, ' \n'])
		t.true(
			textOf([], [kernel(reason === undefined ? {} : {reason})]).includes(
				'<pre class="message">No reason is given.</pre>',
			),
		);
	t.true(textOf([], [kernel({reason: 'it died\n'})]).includes('<pre class="message">it died</pre>'));
});

test('the console of a kernel is shown, or that it is empty; without one nothing is said of it', t => {
	t.true(textOf([], [kernel({console: ' \n'})]).includes('<p>Its console is empty.</p>'));
	t.false(textOf([], [kernel()]).includes('console'));
	t.regex(textOf([], [kernel({console: 'the last\n'})]), /<summary>console<\/summary><pre>the last<\/pre>/);
});

test('how many cells did not run is said of a kernel that was to run some', t => {
	t.true(textOf([], [kernel({notRun: 1})]).includes('<p class="muted">1 cell did not run</p>'));
	t.false(textOf([], [kernel()]).includes('did not run'));
});

test('a failure tells where its whole console and the memory of its guest are', t => {
	const text = textOf([cell({consolePath: '/var/c.console', memory: {path: '/var/c.vmcore', bytes: 61 * 2 ** 20}})]);
	t.true(text.includes('<p>Whole console: <code>/var/c.console</code></p>'));
	t.true(text.includes('<p>Memory: <code>/var/c.vmcore, 61 MiB</code></p>'));
	t.notRegex(textOf([cell()]), /Whole console|Memory/);
});

test('a console of blank lines is not shown', t => {
	t.false(textOf([cell({console: '\n \n'})]).includes('<details'));
	t.true(textOf([cell({console: 'BUG\n'})]).includes('<summary>console</summary><pre>BUG</pre>'));
});

test('other evidence is shown under its name: text as it is, everything else as indented JSON', t => {
	const text = textOf([cell({evidence: {words: 'as they are', frames: {first: [1]}}})]);
	t.true(text.includes('<summary>words</summary><pre>as they are</pre>'));
	t.true(text.replaceAll('&#34;', '"').includes('<summary>frames</summary><pre>{\n  "first": [\n    1\n  ]\n}</pre>'));
});

test('long evidence is cut, and tells how much of it is left out', t => {
	const [whole, long] = ['a'.repeat(20_000), `${'a'.repeat(20_000)}bcd`];
	t.true(textOf([cell({evidence: {whole}})]).includes(`<pre>${whole}</pre>`));
	t.true(textOf([cell({evidence: {long}})]).includes(`<pre>${whole}\n… 3 more characters are in the events</pre>`));
});

test('a register that only one side has is a row, too, and values that are no text are JSON', t => {
	const registers = {what: 'at exit', expected: {ax: ['0x1', '0x2']}, seen: {ax: ['0x1', '0x2'], bx: '0x3'}};
	const text = textOf([cell({evidence: {registers}})]).replaceAll('&#34;', '"');
	t.true(text.includes('<caption>Registers: at exit</caption>'));
	t.true(text.includes('<tr><th scope="row">ax</th><td>["0x1","0x2"]</td><td>["0x1","0x2"]</td><td>yes</td></tr>'));
	t.true(text.includes('<tr class="different"><th scope="row">bx</th><td>–</td><td>0x3</td><td>← no</td></tr>'));
});

test('registers and call stacks without two sides are shown like other evidence', t => {
	const text = textOf([cell({evidence: {registers: 'none were read', callStack: 'it is empty'}})]);
	t.true(text.includes('<summary>registers</summary><pre>none were read</pre>'));
	t.true(text.includes('<summary>callStack</summary><pre>it is empty</pre>'));
	t.false(text.includes('<table'));
});

test('known failings have a section of their own, with their number', t => {
	const known = cell({verdict: 'known', message: 'as listed'});
	const {text} = knownSection(new Map([[known, 'known-1']]));
	t.true(text.includes('<h2 id="known">Known failings (1)</h2>'));
	t.regex(text, /<article id="known-1">\n<h3><span class="chip v-known">known<\/span> k › a\/b<\/h3>/);
	t.true(text.includes('<pre class="message">as listed</pre>'));
});

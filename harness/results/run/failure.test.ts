// SPDX-License-Identifier: GPL-2.0
import {stripVTControlCharacters} from 'node:util';
import test from 'ava';
import type {CellEvent} from './events.ts';
import {formatFailure, formatKernelFailure, isSideBySide, rerunCommand} from './failure.ts';

const failed: CellEvent = {
	type: 'cell',
	kernel: 'debian-6.1',
	mechanism: 'bprobe',
	case: 'entry/flags',
	target: 'asm-fentry',
	repeat: 0,
	verdict: 'fail',
	durationMs: 10,
};

test('a failure shows its rerun command', t => {
	const command = "npx probe-matrix run --kernel debian-6.1 --match 'entry/flags[asm-fentry]'";
	t.is(rerunCommand(failed), command);
	t.true(formatFailure(failed).includes(command));
	t.regex(rerunCommand({...failed, suite: '--module ./ring'}), /^npx probe-matrix run --module \.\/ring --kernel /);
});

test('a failure shows the path of the whole console', t => {
	t.regex(formatFailure({...failed, consolePath: '/var/c.console'}), /whole console: \/var\/c\.console/);
});

test('a failure shows where the memory of its guest is, and how large that is', t => {
	const memory = {path: '/var/c.vmcore', bytes: 61 * 2 ** 20};
	t.regex(formatFailure({...failed, memory}), /memory: \/var\/c\.vmcore, 61 MiB/);
});

test('expected and seen registers are side by side, and differences are marked', t => {
	const registers = {what: 'at entry', expected: {ax: '0x1', bx: '0x2'}, seen: {ax: '0x1', bx: '0x3'}};
	const text = stripVTControlCharacters(formatFailure({...failed, evidence: {registers}}));
	t.regex(text, /^ +ax +0x1 +0x1$/m);
	t.regex(text, /^ +bx +0x2 +0x3 +←$/m);
});

test('expected and seen call stacks are side by side, even with different lengths', t => {
	const callStack = {expected: ['fx_c', 'caller'], seen: ['fx_c', 'trampoline', 'caller']};
	const text = stripVTControlCharacters(formatFailure({...failed, evidence: {callStack}}));
	t.regex(text, /^ +caller +trampoline$/m);
	t.regex(text, /^ +caller$/m);
});

test('text of a guest cannot emit escape sequences', t => {
	const hostile = 'a\u001B[2Jb\u001B]0;title\u0007c\u009B31md\re\u0000';
	const text = formatFailure({...failed, message: hostile, console: hostile, evidence: {hostile}});
	// The only escape sequences are our colours.
	t.notRegex(stripVTControlCharacters(text).replaceAll(/[\n\t]/g, ''), /\p{Cc}/u);
	t.false(text.includes('\u001B[2J'));
	t.false(text.includes('title\u0007'));
});

test('register and function names of a guest cannot emit escape sequences', t => {
	const hostile = '\u001B[2J';
	const registers = {what: hostile, expected: {ax: hostile}, seen: {ax: hostile}};
	const callStack = {expected: [hostile], seen: [hostile]};
	t.false(formatFailure({...failed, evidence: {registers, callStack}}).includes(hostile));
});

test('only the end of a long console is shown', t => {
	const console = Array.from({length: 500}, (_, n) => `line ${n}`).join('\n');
	const text = formatFailure({...failed, console});
	t.true(text.includes('line 499'));
	t.false(text.includes('line 400'));
});

test('an unusable kernel shows all details and cannot emit escape sequences', t => {
	const kernel = {kernel: '4.15.11', state: 'failed', hasBooted: false, notRun: 214} as const;
	t.is(
		stripVTControlCharacters(formatKernelFailure({...kernel, reason: 'it died\nof this', console: 'first\nlast\n'})),
		`failed 4.15.11
  it died
  of this
  214 cells did not run
  console:
    first
    last
  again: npx probe-matrix run --kernel 4.15.11`,
	);
	t.regex(formatKernelFailure({...kernel, console: ''}), /\n {2}its console is empty\n/);
	t.false(formatKernelFailure({...kernel, reason: '\u001B[2J', console: '\u001B[2J'}).includes('\u001B[2J'));
});

const plain = (about: Partial<CellEvent>, options = {}) =>
	stripVTControlCharacters(formatFailure({...failed, ...about}, options)).split('\n');
const title = ['fail debian-6.1 › entry/flags[asm-fentry]'];
const again = `  again: ${rerunCommand(failed)}`;

test('a failure has its message, and how its rerun ended, with the first line of what that said', t => {
	t.deepEqual(plain({message: 'CF is 1\nit was 0', again: {verdict: 'hang', message: 'no end\nat all'}}), [
		...[...title, '  CF is 1', '  it was 0', '  rerun in a fresh guest: it ended with hang: no end', again],
	]);
	t.deepEqual(plain({flaky: true, again: {verdict: 'pass'}}), [
		...[...title, '  rerun in a fresh guest: flaky: it passed', again],
	]);
});

test('a failure without details is its title and its command, or the one that is given', t => {
	t.deepEqual(plain({console: ' \n'}), [...title, again]);
	t.deepEqual(plain({}, {again: 'npx probe-matrix exec -- true'}), [
		...title,
		'  again: npx probe-matrix exec -- true',
	]);
});

test('other evidence is JSON, of which the beginning is shown', t => {
	t.deepEqual(plain({evidence: {calls: [1, 2]}}), [...title, '  calls: [1,2]', again]);
	const [, line] = plain({evidence: {long: 'x'.repeat(1000)}});
	t.is(line, `  long: "${'x'.repeat(599)}`);
});

test('registers without a title are no registers to put side by side', t => {
	const registers = {expected: {ax: '0x1'}, seen: {ax: '0x2'}};
	t.false(isSideBySide(registers));
	t.true(isSideBySide({what: 'at entry', ...registers}));
});

test('a kernel that gives no reason says so, and one that lost a single cell counts it', t => {
	const kernel = {kernel: 'k', state: 'failed', hasBooted: false} as const;
	const lines = (about: Partial<Parameters<typeof formatKernelFailure>[0]>) =>
		stripVTControlCharacters(formatKernelFailure({...kernel, notRun: 0, ...about})).split('\n');
	const command = '  again: npx probe-matrix run --kernel k';
	t.deepEqual(lines({reason: ' \n'}), ['failed k', '  No reason is given.', command]);
	t.deepEqual(lines({notRun: 1}), ['failed k', '  No reason is given.', '  1 cell did not run', command]);
});

test('a kernel of another suite is run again with the options of that suite', t => {
	const kernel = {kernel: 'k', state: 'failed', hasBooted: false, notRun: 0, suite: '--module ./ring'} as const;
	t.regex(formatKernelFailure(kernel), /again: npx probe-matrix run --module \.\/ring --kernel k$/);
});

test.serial('entries of call stacks that differ are red, and no others', t => {
	const {FORCE_COLOR, NO_COLOR} = process.env;
	t.teardown(() => {
		for (const [name, value] of Object.entries({FORCE_COLOR, NO_COLOR})) {
			if (value === undefined) delete process.env[name];
			else process.env[name] = value;
		}
	});
	delete process.env.NO_COLOR;
	process.env.FORCE_COLOR = '1';
	const callStack = {expected: ['fx_c', 'caller'], seen: ['fx_c', 'trampoline', 'caller']};
	const red = formatFailure({...failed, evidence: {callStack}})
		.split('\n')
		.filter(line => line.includes('\u001B[31m') && !line.includes('fail'))
		.map(line => stripVTControlCharacters(line).trim().split(/ +/));
	t.deepEqual(red, [['caller', 'trampoline'], ['caller']]);
});

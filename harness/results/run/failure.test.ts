import {stripVTControlCharacters} from 'node:util';
import test from 'ava';
import type {CellEvent} from './events.ts';
import {formatFailure, formatKernelFailure, rerunCommand} from './failure.ts';

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

test('a failure says which command runs it again', t => {
	const command = "npx probe-matrix run --kernel debian-6.1 --match 'entry/flags[asm-fentry]'";
	t.is(rerunCommand(failed), command);
	t.true(formatFailure(failed).includes(command));
});

test('a failure says where the whole console is', t => {
	t.regex(formatFailure({...failed, consolePath: '/var/c.console'}), /whole console: \/var\/c\.console/);
});

test('expected and seen registers stand side by side, and the wrong ones are pointed at', t => {
	const registers = {what: 'at entry', expected: {ax: '0x1', bx: '0x2'}, seen: {ax: '0x1', bx: '0x3'}};
	const text = stripVTControlCharacters(formatFailure({...failed, evidence: {registers}}));
	t.regex(text, /^ +ax +0x1 +0x1$/m);
	t.regex(text, /^ +bx +0x2 +0x3 +←$/m);
});

test('expected and seen call stacks stand side by side, also of different lengths', t => {
	const callStack = {expected: ['fx_c', 'caller'], seen: ['fx_c', 'trampoline', 'caller']};
	const text = stripVTControlCharacters(formatFailure({...failed, evidence: {callStack}}));
	t.regex(text, /^ +caller +trampoline$/m);
	t.regex(text, /^ +caller$/m);
});

test('text from a guest cannot steer the terminal', t => {
	const hostile = 'a\u001B[2Jb\u001B]0;title\u0007c\u009B31md\re\u0000';
	const text = formatFailure({...failed, message: hostile, console: hostile, evidence: {hostile}});
	// Our own colours are the only ones.
	t.notRegex(stripVTControlCharacters(text).replaceAll(/[\n\t]/g, ''), /\p{Cc}/u);
	t.false(text.includes('\u001B[2J'));
	t.false(text.includes('title\u0007'));
});

test('names of registers and functions from a guest cannot either', t => {
	const hostile = '\u001B[2J';
	const registers = {what: hostile, expected: {ax: hostile}, seen: {ax: hostile}};
	const callStack = {expected: [hostile], seen: [hostile]};
	t.false(formatFailure({...failed, evidence: {registers, callStack}}).includes(hostile));
});

test('of a long console its end is shown', t => {
	const console = Array.from({length: 500}, (_, n) => `line ${n}`).join('\n');
	const text = formatFailure({...failed, console});
	t.true(text.includes('line 499'));
	t.false(text.includes('line 400'));
});

test('a kernel that could not be used is told with all that is known, and steers no terminal', t => {
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

// SPDX-License-Identifier: GPL-2.0
import test from 'ava';
import {parseTap, plainName} from './ktap.ts';

const results = (text: string) => parseTap(text)?.subtests.map(({name, verdict}) => `${verdict} ${name}`);

test('output without results is no TAP', t => {
	t.is(parseTap(''), undefined);
	t.is(parseTap('okay, then\nnothing is ok\nit is not ok\n'), undefined);
});

test('each result is a subtest, with its directive and the notes before it', t => {
	const tap = parseTap(
		[
			...['TAP version 13', '1..7', 'ok 1 first thing', '# expected 1', '# got 2', 'not ok 2 - second'],
			...[
				'ok 3 third # SKIP no such device',
				'not ok 4 # TODO later',
				'ok 5',
				'# of six',
				'not ok six',
				'not ok seven',
			],
		].join('\n'),
	);
	t.deepEqual(tap, {
		subtests: [
			{name: 'first-thing', verdict: 'pass'},
			{name: 'second', verdict: 'fail', message: 'not ok\nexpected 1\ngot 2'},
			{name: 'third', verdict: 'skip', message: 'no such device'},
			{name: '4', verdict: 'skip', message: 'expected to fail: later'},
			{name: '5', verdict: 'pass'},
			{name: 'six', verdict: 'fail', message: 'not ok\nof six'},
			{name: 'seven', verdict: 'fail', message: 'not ok'},
		],
	});
});

test('a directive may be written in any letters', t => {
	const tap = parseTap('ok 1 - x # skip no device\nnot ok 2 - y # Todo later\nnot ok 3 - z # XFAIL no such chip\n');
	t.deepEqual(tap?.subtests, [
		{name: 'x', verdict: 'skip', message: 'no device'},
		{name: 'y', verdict: 'skip', message: 'expected to fail: later'},
		{name: 'z', verdict: 'skip', message: 'expected to fail: no such chip'},
	]);
});

test('KTAP: nested results are named after their parents, which have results of their own', t => {
	const text = `KTAP version 1
1..2
  KTAP version 1
  1..2
    KTAP version 1
    1..1
    # test_1: initializing
    ok 1 test_1
  ok 1 example_test_1
  not ok 2 example_test_2
not ok 1 main
ok 2 other
`;
	t.deepEqual(results(text), [
		'pass main/example_test_1/test_1',
		'pass main/example_test_1',
		'fail main/example_test_2',
		'fail main',
		'pass other',
	]);
});

test('TAP 14: results of a subtest are indented and come before its own', t => {
	const text = 'TAP version 14\n1..1\n# Subtest: foo\n    1..2\n    ok 1 - a\n    not ok 2 - b\nnot ok 1 - foo\n';
	t.deepEqual(results(text), ['pass foo/a', 'fail foo/b', 'fail foo']);
});

test("kselftest's runner puts # before the lines of a nested test", t => {
	const text =
		'TAP version 13\n1..1\n# selftests: timers: posix\n# TAP version 13\n# 1..2\n# ok 1 one\n# not ok 2 two\nnot ok 1 selftests: timers: posix # exit=1\n';
	t.deepEqual(results(text), [
		'pass selftests:-timers:-posix/one',
		'fail selftests:-timers:-posix/two',
		'fail selftests:-timers:-posix',
	]);
});

test('results that are missing, and a bail-out, are trouble', t => {
	t.is(parseTap('1..3\nok 1 a\n')?.trouble, 'the test planned 3 results and gave 1');
	t.is(parseTap('1..1\nok 1 a\n')?.trouble, undefined);
	t.is(parseTap('1..1\nok 1 a\nok 2 b\n')?.trouble, 'the test planned 1 results and gave 2');
	t.is(parseTap('ok 1 a\n1..1\n')?.trouble, undefined, 'a plan may come last');
	t.is(parseTap('1..1\nok 1 a\nBail out! no disk\n')?.trouble, 'bailed out: no disk');
	t.regex(
		parseTap('1..1\n  1..2\n  ok 1 x\nok 1 a\n')?.trouble ?? '',
		/^a planned 2 results and gave 1$/,
		'also of a nested test',
	);
});

test('two results of one name are told apart', t => {
	t.deepEqual(results('1..2\nok 1 a\nok 2 a\n'), ['pass a', 'pass a-2']);
});

test('a name becomes one that can stand in the id of a case', t => {
	t.is(plainName('  sets [x] to "y/z"\t'), 'sets-x-to-y-z');
	t.is(plainName('../../up'), 'up');
});

test('a test that announces TAP and dies before its first result has not done what it planned', t => {
	t.deepEqual(parseTap('TAP version 13\n1..2\n'), {subtests: [], trouble: 'the test planned 2 results and gave 0'});
});

test('lines may end as on DOS', t => {
	t.deepEqual(parseTap('1..2\r\nok 1 a # SKIP no chip\r\nnot ok 2 b # exit=3\r\n'), {
		subtests: [
			{name: 'a', verdict: 'skip', message: 'no chip'},
			{name: 'b', verdict: 'fail', message: 'exit=3'},
		],
	});
});

test('what is expected to fail and passes is a pass', t => {
	t.deepEqual(results('ok 1 a # TODO later\nok 2 b # XFAIL no chip\n'), ['pass a', 'pass b']);
});

test('a directive without a reason, a bail-out without one and a result without a name are told as such', t => {
	t.deepEqual(parseTap('ok 1 a # SKIP\nnot ok 2 b # TODO\nok\nBail out!\n'), {
		subtests: [
			{name: 'a', verdict: 'skip', message: 'no reason given'},
			{name: 'b', verdict: 'skip', message: 'expected to fail: no reason given'},
			{name: 'unnamed', verdict: 'pass'},
		],
		trouble: 'bailed out: no reason',
	});
});

test('a failure has its last twenty notes', t => {
	const notes = Array.from({length: 25}, (_, n) => `# note ${n}`);
	const {subtests} = parseTap([...notes, 'not ok 1 a'].join('\n'))!;
	const [first, ...rest] = subtests[0]!.message!.split('\n');
	t.is(first, 'not ok');
	t.deepEqual(
		rest,
		notes.slice(5).map(note => note.slice(2)),
	);
});

test('all that is wrong with an output is told', t => {
	t.is(
		parseTap('1..2\nok 1 a\nBail out! no disk\n')?.trouble,
		'bailed out: no disk; the test planned 2 results and gave 1',
	);
});

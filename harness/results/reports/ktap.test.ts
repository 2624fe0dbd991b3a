// SPDX-License-Identifier: GPL-2.0
import test from 'ava';
import {sampleRun} from '../../test/sample-run.ts';
import {formatKtap} from './ktap.ts';

const line =
	/^(?: {2})?(?:KTAP version 1|1\.\.\d+|#.*|(?:not )?ok \d+ [^#]+(?: # (?:SKIP|TIMEOUT|ERROR)(?: [^#]*)?)?)$/;

test('every line is valid KTAP', t => {
	for (const each of formatKtap(sampleRun({isInterrupted: true}))
		.trimEnd()
		.split('\n'))
		t.regex(each, line);
});

test('kernels contain cells, indented by two, and each level has version and plan', t => {
	const lines = formatKtap(sampleRun()).split('\n');
	t.deepEqual(lines.filter(each => !each.startsWith('#')).slice(0, 6), [
		'KTAP version 1',
		'1..4',
		'not ok 1 4.15.18+debug # ERROR kernel.org cannot be reached. Give --source a tree.',
		'not ok 2 4.15.11 # ERROR Linux 4.15.11 did not boot: triple fault at secondary_startup_64+0x5d; 34 cells did not run',
		'  KTAP version 1',
		'  1..34',
	]);
	t.deepEqual(
		lines.filter(each => each.startsWith('ok')),
		['ok 3 4.15.18'],
	);
	t.is(lines.filter(each => /^ {2}(not )?ok/.test(each)).length, 34 + 39);
});

test('verdicts map to KTAP directives where they exist', t => {
	const text = formatKtap(sampleRun());
	t.regex(
		text,
		/^ {2}not ok \d+ bprobe return\/bad-hang\[asm\] # TIMEOUT Timed out after 5 s\. The agent responds\.$/m,
	);
	t.regex(text, /^ {2}not ok \d+ bprobe return\/bad-inconclusive\[asm\] # ERROR Only 3 calls/m);
	t.regex(text, /^ {2}not ok \d+ bprobe return\/bad-crash\[asm\]$/m);
	t.regex(text, /^ {2}ok \d+ bprobe tooling\/bpftool # SKIP bpftool ＃ is not/m);
});

test('a known failing is expected to fail', t => {
	const {cells, ...record} = sampleRun();
	const [first, ...others] = cells;
	const known = {...first!, mechanism: 'kprobe', verdict: 'known', message: 'r11 is lost'} as const;
	t.regex(formatKtap({...record, cells: [known, ...others]}), /^ {2}ok 1 kprobe \S+ # XFAIL r11 is lost$/m);
});

test('diagnostics of a test come before its result', t => {
	t.regex(
		formatKtap(sampleRun()),
		/ {2}# +again: npx probe-matrix [^\n]*bad-crash\[asm\]'\n {2}not ok \d+ bprobe return\/bad-crash/,
	);
});

test('an unusable kernel is reported once, with the end of its console before its result', t => {
	t.regex(
		formatKtap(sampleRun()),
		/\n# failed 4\.15\.11\n# {3}Linux 4\.15\.11 did not boot[^\n]*\n(?:#[^\n]*\n)*# {5}the last line <of> it\n(?:#[^\n]*\n)*not ok 2 4\.15\.11 # ERROR/,
	);
	t.is(formatKtap(sampleRun()).match(/not ok [^\n]*triple fault/g)?.length, 1);
});

test('a kernel that became unusable has its cells, and is not ok', t => {
	const record = sampleRun();
	const failed = {type: 'kernel', kernel: '4.15.18', state: 'failed', reason: 'no guest', notRun: 7} as const;
	const text = formatKtap({...record, kernels: [...record.kernels, failed]});
	t.regex(text, /^not ok 3 4\.15\.18 # ERROR no guest; 7 cells did not run$/m);
	t.is(text.match(/^ {2}(not )?ok/gm)?.length, 34 + 39);
});

test('an interrupted run has a failing test of its own', t => {
	t.regex(formatKtap(sampleRun({isInterrupted: true})), /^not ok 5 run # ERROR The run has no end/m);
});

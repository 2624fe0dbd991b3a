// SPDX-License-Identifier: GPL-2.0
import {AssertionError} from 'node:assert/strict';
import test from 'ava';
import {type CaseContext, SkipCase, type Subtest} from '../../engine/case.ts';
import type {CommandEnd} from '../../link/running-command.ts';
import {runTest} from './run-test.ts';

/** Runs a test that prints and ends so. Says what a person would read: how it was judged, and its subtests. */
async function judged(stdout: string, end: CommandEnd, stderr = ''): Promise<readonly string[]> {
	const subtests: Subtest[] = [];
	// The parts of a context that a program is run by.
	const context = {
		async stream(_command, {onStdout, onStderr}) {
			onStdout?.(Buffer.from(stdout));
			onStderr?.(Buffer.from(stderr));
			return end;
		},
		evidence() {},
		subtest: each => subtests.push(each),
		skip(reason) {
			throw new SkipCase(reason);
		},
	} as Partial<CaseContext> as CaseContext;
	const [how] = await Promise.allSettled([runTest({name: 'it.sh', interpreter: '/bin/bash'}, '/tests', context)]);
	const words =
		how.status === 'fulfilled'
			? 'pass'
			: how.reason instanceof SkipCase
				? `skip: ${how.reason.message}`
				: how.reason instanceof AssertionError
					? `fail: ${how.reason.message}`
					: String(how.reason);
	return [words, ...subtests.map(({name, verdict}) => `${name}: ${verdict}`)];
}

const rows: readonly (readonly [what: string, ran: Parameters<typeof judged>, judged: readonly string[]])[] = [
	['that exits with 0 passes', ['fine\n', {code: 0}], ['pass']],
	['that exits with 1 fails, with its last line', ['a\nb\n', {code: 1}], ['fail: it.sh ended with 1\nb']],
	['that exits with 4 is skipped', ['no such device\n', {code: 4}], ['skip: no such device']],
	['that is killed fails', ['begun\n', {signal: 'SEGV'}], ['fail: it.sh was killed by SIGSEGV\nbegun']],
	[
		'that reports a failure and exits with 0 fails',
		['TAP version 13\n1..2\nok 1 a\nnot ok 2 b\n', {code: 0}],
		['fail: failed: b', 'a: pass', 'b: fail'],
	],
	[
		'that reports less than it planned fails',
		['TAP version 13\n1..2\nok 1 a\n', {code: 0}],
		['fail: the test planned 2 results and gave 1', 'a: pass'],
	],
	[
		'that exits with 4 and says nothing is skipped, with what that means',
		['', {code: 4}],
		['skip: it.sh ended with 4, which means that it does not apply.'],
	],
	[
		'that fails with results names those that failed',
		['1..3\nnot ok 1 a\nok 2 b\nnot ok 3 c\n', {code: 1}, 'the end\n'],
		['fail: it.sh ended with 1\nfailed: a, c', 'a: fail', 'b: pass', 'c: fail'],
	],
	[
		'that fails in several results names all of them',
		['1..2\nnot ok 1 a\nnot ok 2 b\n', {code: 0}],
		['fail: failed: a, b', 'a: fail', 'b: fail'],
	],
	['whose errors look like results has none', ['fine\n', {code: 0}, 'not ok 1 a\n'], ['pass']],
	[
		'that ends with 127 and not for its interpreter fails as others do',
		['gone\n', {code: 127}],
		['fail: it.sh ended with 127\ngone'],
	],
	[
		'that ends with another status and finds something missing fails as others do',
		['data: not found\n', {code: 1}],
		['fail: it.sh ended with 1\ndata: not found'],
	],
	[
		'whose interpreter guests lack fails with what to do',
		['', {code: 127}, '/bin/bash: not found\n'],
		['fail: it.sh does not start: guests have no /bin/bash. Write it for /bin/sh, which is busybox, or compile it.'],
	],
];

for (const [what, ran, expected] of rows)
	test(`a test ${what}`, async t => {
		t.deepEqual(await judged(...ran), expected);
	});

test('of a long output the end is kept', async t => {
	const kept: Record<string, unknown> = {};
	const context = {
		async stream(_command, {onStdout}) {
			onStdout?.(Buffer.from(`the beginning\n${'more\n'.repeat(10_000)}the end\n`));
			return {code: 0};
		},
		evidence(name, value) {
			kept[name] = value;
		},
	} as Partial<CaseContext> as CaseContext;
	await runTest({name: 'it.sh'}, '/tests', context);
	const output = String(kept.output);
	t.is(output.length, 16_000);
	t.true(output.endsWith('more\nthe end'));
});

test('a test that prints nothing leaves no output', async t => {
	const kept: string[] = [];
	const context = {
		stream: async () => ({code: 0}),
		evidence: name => kept.push(name),
	} as Partial<CaseContext> as CaseContext;
	await runTest({name: 'it.sh'}, '/tests', context);
	t.deepEqual(kept, []);
});

test('a test runs in the directory of the tests', async t => {
	const commands: string[] = [];
	const context = {
		async stream(command) {
			commands.push(command);
			return {code: 0};
		},
	} as Partial<CaseContext> as CaseContext;
	await runTest({name: 'it.sh'}, '/root/tests', context);
	t.deepEqual(commands, ["cd '/root/tests' && exec ./it.sh"]);
});

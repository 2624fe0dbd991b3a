// SPDX-License-Identifier: GPL-2.0
import test from 'ava';
import type {FaultResult} from '../suites/project-suite.ts';
import {withWorkflow} from '../test/fake-cli.ts';
import {showResult, showSum} from './selftest-output.ts';

const result: FaultResult = {
	kernel: 'k',
	fault: 'oops',
	verdict: 'crash',
	title: '::error::a guest',
	ms: 100,
	goalMs: 2000,
	wrong: ['its message should match x'],
	outcome: {verdict: 'crash', durationMs: 100, message: '::error::a guest said so', isGuestDirty: true},
};

/** Fake outputs, and what was written to each. */
function outputs({isTerminal}: {isTerminal: {stdout: boolean; stderr: boolean}}) {
	const written = {stdout: '', stderr: ''};
	const output = (name: 'stdout' | 'stderr') => ({
		isTTY: isTerminal[name],
		write(text: string) {
			written[name] += text;
			return true;
		},
	});
	return {written, stdout: output('stdout'), stderr: output('stderr')};
}

for (const stdout of [true, false])
	for (const stderr of [true, false]) {
		const where = `standard output ${stdout ? 'on' : 'off'} the terminal, standard error ${stderr ? 'on' : 'off'}`;
		test.serial(`with ${where} a person sees each row once, and standard output has all rows`, t => {
			const to = outputs({isTerminal: {stdout, stderr}});
			withWorkflow(undefined, () => {
				showResult(result, to);
				showSum([result], 'consoles', to);
			});
			const rows = (text: string) => text.match(/^.*k +oops +.*crash.*$/gm)?.length ?? 0;
			t.is(rows(to.written.stdout), 1);
			t.is(rows(to.written.stderr), stderr && !stdout ? 1 : 0);
			t.regex(to.written.stdout, /\nk oops: its message should match x\n::error::a guest said so\n/);
		});
	}

test.serial('a verdict with one thing wrong is told from one that is right', t => {
	const to = outputs({isTerminal: {stdout: false, stderr: false}});
	withWorkflow(undefined, () => {
		showResult(result, to);
		showResult({...result, wrong: []}, to);
		showSum([result, {...result, wrong: []}], 'consoles', to);
	});
	t.deepEqual(to.written.stdout.match(/\b(?:WRONG|ok)\b/g), ['WRONG', 'ok']);
	t.regex(to.written.stdout, /^1 as expected, 1 not, 0 skipped/m);
});

test.serial('in a GitHub workflow, a crash title or message cannot inject commands', t => {
	const to = outputs({isTerminal: {stdout: false, stderr: true}});
	withWorkflow('true', () => {
		showResult(result, to);
		showSum([result], 'consoles', to);
	});
	for (const text of [to.written.stdout, to.written.stderr]) {
		let rest = text;
		for (;;) {
			const [whole, token] = /^::stop-commands::(\S+)\n/m.exec(rest) ?? [];
			if (whole === undefined) break;
			const end = `::${token}::\n`;
			rest = rest.slice(0, rest.indexOf(whole)) + rest.slice(rest.indexOf(end) + end.length);
		}
		t.regex(text, /::error/);
		t.notRegex(rest, /::error/);
	}
});

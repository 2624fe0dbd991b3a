// SPDX-License-Identifier: GPL-2.0
import {mkdtempDisposable, writeFile} from 'node:fs/promises';
import {tmpdir} from 'node:os';
import path from 'node:path';
import {stripVTControlCharacters} from 'node:util';
import test, {type ExecutionContext} from 'ava';
import {execa} from 'execa';
import {probeMatrix} from '../test/fake-cli.ts';
import {hasTool} from '../test/optional-tool.ts';
import {writeProgram} from '../test/write-program.ts';

/** What is typed before the Tab, and what must be offered, and what must not. */
const typed = [
	{line: 'ru', offers: ['run'], not: ['report']},
	{line: 'kernels l', offers: ['list'], not: ['fetch', 'run']},
	{line: 'run --isol', offers: ['--isolation'], not: ['--kernel']},
	{line: 'run --isolation re', offers: ['reboot', 'restore', 'reuse'], not: ['kvm']},
	{line: 'run --watch --kernel debian-6', offers: ['debian-6.1', 'debian-6.12'], not: ['4.15.18']},
	{line: 'shell debian-6.12', offers: ['debian-6.12'], not: ['debian-6.1']},
	{line: 'nightly --match entry/sp', offers: ['entry/sp-and-ip'], not: ['entry/flags']},
	{line: 'completion f', offers: ['fish'], not: ['bash']},
	{line: 'bisect --module --go', offers: ['--good'], not: ['--bad']},
] as const;

/** The completion of a shell in a file, and an environment in which probe-matrix is found. */
async function prepare(shell: string) {
	const directory = await mkdtempDisposable(path.join(tmpdir(), 'completion-'));
	const [script, program] = [path.join(directory.path, 'script'), path.join(directory.path, 'probe-matrix')];
	const {stdout} = await probeMatrix('completion', shell);
	await writeFile(script, stdout);
	const main = path.join(import.meta.dirname, 'main.js');
	await writeProgram(program, `#!/bin/sh\nexec '${process.execPath}' '${main}' "$@"\n`);
	const env = {PATH: `${directory.path}:${process.env.PATH}`, HOME: directory.path, TERM: 'dumb'};
	return {script, env, [Symbol.asyncDispose]: () => directory.remove()};
}

function check(t: ExecutionContext, offered: string, {line, offers, not}: (typeof typed)[number]): void {
	const words = offered.split(/\s+/);
	for (const word of offers) t.true(words.includes(word), `${line} offers ${word}: ${offered}`);
	for (const word of not) t.false(words.includes(word), `${line} does not offer ${word}: ${offered}`);
}

test('bash completes', async t => {
	t.timeout(300_000);
	await using at = await prepare('bash');
	const complete = 'source "$0"; COMP_WORDS=("$@") COMP_CWORD=$(($# - 1)); _probe_matrix; declare -p COMPREPLY';
	for (const each of typed) {
		const args = ['--norc', '-c', complete, at.script, 'probe-matrix', ...each.line.split(' ')];
		const {stdout} = await execa('bash', args, {env: at.env});
		check(t, stdout.replaceAll('"', ' '), each);
	}
});

test('fish completes', async t => {
	t.timeout(300_000);
	if (!(await hasTool(t, 'fish'))) return;
	await using at = await prepare('fish');
	for (const each of typed) {
		const command = `source ${at.script}; complete -C 'probe-matrix ${each.line}'`;
		check(t, (await execa('fish', ['--no-config', '-c', command], {env: at.env})).stdout, each);
	}
});

// zsh completes only where someone types, and prints no list while more is typed. So the list is waited for.
const typist = String.raw`
zmodload zsh/zpty
zpty -b typed zsh -f -i
zpty -w typed "PS1=; autoload -Uz compinit; compinit -u -D; source $1; bindkey '^I' list-choices; print REA''DY"
zpty -r typed output '*READY*'
zpty -w -n typed "probe-matrix $2"$'\t'
zpty -r typed output "$3"
print -r -- "$output"
zpty -w -n typed $'\x15'
zpty -w typed "print EN''D"
zpty -r typed output '*END*'
print -r -- "$output"
`;

test('zsh completes', async t => {
	t.timeout(600_000);
	if (!(await hasTool(t, 'zsh'))) return;
	await using at = await prepare('zsh');
	for (const each of typed) {
		const args = ['-f', '-c', typist, 'zsh', at.script, each.line, `*${each.offers.join('*')}*`];
		const {stdout} = await execa('zsh', args, {env: at.env, timeout: 60_000});
		check(t, stripVTControlCharacters(stdout), each);
	}
});

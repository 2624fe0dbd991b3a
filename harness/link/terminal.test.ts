// SPDX-License-Identifier: GPL-2.0
import path from 'node:path';
import test from 'ava';
import {execa} from 'execa';

test('a terminal is raw while the shell in the guest runs, and not afterwards; the shell knows its size', async t => {
	const client = path.resolve(import.meta.dirname, '../test/terminal-client.ts');
	const command = `'${process.execPath}' '${client}'`;
	const {stdout} = await execa('script', ['-qec', command, '/dev/null'], {timeout: 60_000});
	t.is(stdout.trim(), 'ended with 3, raw: false; 20 rows of 70, then 33 rows of 111');
	const killed = await execa('script', ['-qec', `${command} killed`, '/dev/null'], {timeout: 60_000});
	t.regex(killed.stdout, /^ended with 128, raw: false;/);
});

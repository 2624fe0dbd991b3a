// SPDX-License-Identifier: GPL-2.0
import test from 'ava';
import {execa} from 'execa';
import {withoutInput} from './running-command.ts';

const commands: Readonly<Record<string, readonly [command: string, stdout: string]>> = {
	'reads its input': ['cat; echo read', 'read'],
	'ends with a comment': ['echo it # and why', 'it'],
	'leaves something running': ['sleep 0 & wait; echo it; true &', 'it'],
	'ends with a here-document': ['cat <<END\nit\nEND', 'it'],
	'has several lines': ['echo a\necho b', 'a\nb'],
	'is a group in braces': ['{ echo it; }', 'it'],
};

for (const [what, [command, stdout]] of Object.entries(commands))
	test(`a command that ${what} runs as it is written, and has no input`, async t => {
		const ended = await execa('sh', ['-c', withoutInput(command)], {input: 'more'});
		t.is(ended.stdout, stdout);
		t.is((await execa('sh', ['-c', withoutInput(`${command}\nexit 3`)], {reject: false})).exitCode, 3);
	});

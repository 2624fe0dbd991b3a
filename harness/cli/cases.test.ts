// SPDX-License-Identifier: GPL-2.0
import test from 'ava';
import {allCases} from '../suites/bprobe/cases/all.ts';
import {probeMatrix} from '../test/fake-cli.ts';

test('all cases are listed, in the order of a run', async t => {
	const {stdout, exitCode} = await probeMatrix('cases');
	t.is(exitCode, 0);
	const ids = stdout.split('\n').map(line => line.split(' ')[0]);
	t.deepEqual(
		ids,
		allCases.map(({id}) => id),
	);
	t.regex(stdout, /^module\/loads$/m, 'a case without targets');
	t.regex(stdout, /^entry\/sp-and-ip +asm asm-fentry c\b/m);
});

test('--match leaves cases and targets out', async t => {
	const {stdout} = await probeMatrix('cases', '--match', 'entry/flags[asm]', '--match', 'module/loads', '--json');
	const [loads, flags, ...more] = JSON.parse(stdout);
	t.like(loads, {id: 'module/loads', targets: []});
	t.deepEqual(
		{...flags, deadlineMs: 0},
		{id: 'entry/flags', targets: ['asm'], needs: ['entry', 'flags'], deadlineMs: 0},
	);
	t.deepEqual(more, []);
	const {exitCode, stderr} = await probeMatrix('cases', '--match', 'entry/falgs');
	t.is(exitCode, 2);
	t.regex(stderr, /did you mean entry\/flags\?/);
});

// SPDX-License-Identifier: GPL-2.0
import {mkdtempDisposable, readFile} from 'node:fs/promises';
import {tmpdir} from 'node:os';
import path from 'node:path';
import test from 'ava';
import {execa} from 'execa';
import {caseTitle} from '../results/run/cell-name.ts';
import type {CellEvent, Event} from '../results/run/events.ts';

const main = path.join(import.meta.dirname, 'main.js');
const cases = [
	'entry/six-register-arguments[c]',
	'entry/sp-and-ip[c]',
	'return/return-value[c]',
	'return/recursion-64[c]',
];

async function run(args: readonly string[]) {
	const env = {GITHUB_ACTIONS: '', NO_COLOR: '1'};
	return execa(process.execPath, [main, 'run', ...args], {reject: false, env});
}

test.serial('every mechanism is held to what it claims, and what it is known to fail is said as known', async t => {
	t.timeout(20 * 60_000);
	await using directory = await mkdtempDisposable(path.join(tmpdir(), 'mechanism-'));
	const file = path.join(directory.path, 'events');
	const match = cases.flatMap(each => ['--match', each]);
	const {exitCode, stdout} = await run(['--kernel', 'debian-6.12', '--mechanism', 'all', ...match, '--json', file]);
	const events = (await readFile(file, 'utf8'))
		.trim()
		.split('\n')
		.map(line => JSON.parse(line) as Event);
	const cells = events.filter((event): event is CellEvent => event.type === 'cell');
	const verdicts = Object.fromEntries(
		[...Map.groupBy(cells, ({mechanism}) => mechanism)].map(([mechanism, own]) => [
			mechanism,
			cases.map(title => own.find(cell => caseTitle(cell) === title)?.verdict).join(' '),
		]),
	);
	t.deepEqual(verdicts, {
		bprobe: 'pass pass pass pass',
		kprobe: 'pass known skip skip',
		kretprobe: 'skip skip pass known',
		'kprobe-multi': 'pass known pass known',
		fentry: 'pass skip skip skip',
		fexit: 'skip skip pass skip',
		ftrace: 'pass known skip skip',
	});
	t.is(exitCode, 0, stdout);
	t.regex(stdout, /^skipped .*return\/recursion-64\[c\]@kprobe.*: kprobe does not claim return\.$/m);
	t.regex(stdout, /^11 pass, 5 known, 12 skip/m);
});

test.serial('a mechanism that does not exist is wrong usage', async t => {
	const {exitCode, stderr} = await run(['--mechanism', 'kprob']);
	t.is(exitCode, 2);
	t.regex(stderr, /bprobe has no mechanism kprob; did you mean kprobe\?/);
});

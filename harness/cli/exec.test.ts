// SPDX-License-Identifier: GPL-2.0
import {mkdtempDisposable, readFile, rm, writeFile} from 'node:fs/promises';
import {tmpdir} from 'node:os';
import path from 'node:path';
import test from 'ava';
import {execa} from 'execa';
import {fallbackKernel} from '../kernels/default-kernels.ts';
import {readCopies} from './copies.ts';
import {formatStatuses, prefixed} from './exec-output.ts';

const main = path.join(import.meta.dirname, 'main.js');
const module = path.join(import.meta.dirname, '../../fixtures/example-module/module');

async function exec(options: readonly string[], words: readonly string[], {input = ''} = {}) {
	const args = [main, 'exec', '--kernel', fallbackKernel, '--module', module, ...options, '--', ...words];
	return execa(process.execPath, args, {reject: false, input, env: {GITHUB_ACTIONS: '', NO_COLOR: '1'}});
}

test.serial(
	'a command gets the module, files, its words and standard input; its output and status come back',
	async t => {
		t.timeout(20 * 60_000);
		await using directory = await mkdtempDisposable(path.join(tmpdir(), 'exec-'));
		await writeFile(path.join(directory.path, 'note'), 'copied\n');
		const {stdout, stderr, exitCode} = await exec(
			['--copy', `${path.join(directory.path, 'note')}:sub/here`],
			[
				'sh',
				'-c',
				'cat /dev/fan sub/here -; printf "%s|" "$@"; echo to stderr >&2; exit 7',
				'x',
				'two words',
				"it's",
				'~',
			],
			{input: 'typed\n'},
		);
		t.is(stdout, "0\ncopied\ntyped\ntwo words|it's|~|");
		t.regex(stderr, /^to stderr$/m);
		t.is(exitCode, 7);
	},
);

test.serial(
	'a signal that ends the command, and a command that does not exist, have statuses as in a shell',
	async t => {
		t.timeout(20 * 60_000);
		t.is((await exec([], ['sh', '-c', 'kill -TERM $$'])).exitCode, 128 + 15);
		const {exitCode, stderr} = await exec([], ['no-such-command']);
		t.is(exitCode, 127);
		t.regex(stderr, /no-such-command: not found/);
	},
);

test.serial('a kernel that dies under the command is a crash, in the words of a run', async t => {
	t.timeout(20 * 60_000);
	const {exitCode, stderr} = await exec(['--save-memory'], ['sh', '-c', 'echo c > /proc/sysrq-trigger; sleep 60']);
	t.is(exitCode, 1);
	const [, file] = /^ {2}memory: (\S+debian-6\.1-1\.vmcore), \d+ MiB$/m.exec(stderr) ?? [];
	t.is((await readFile(file!)).toString('latin1', 0, 5), 'KDUMP');
	await rm(file!);
	t.regex(stderr, /^crash debian-6\.1 › exec\/command\n {2}Kernel panic - not syncing: sysrq triggered crash$/m);
	t.regex(stderr, /again: npx probe-matrix exec .*sysrq-trigger/);
});

test.serial('a kernel complaint after the command has ended is its crash', async t => {
	t.timeout(20 * 60_000);
	const late =
		'(sleep 0.3; echo "<0>BUG: unable to handle page fault for address: 0" > /dev/kmsg) >/dev/null 2>&1 </dev/null &';
	const {exitCode, stderr} = await exec([], ['sh', '-c', late]);
	t.is(exitCode, 1);
	t.regex(stderr, /^crash debian-6\.1/m);
});

test.serial('a command that takes too long is a hang', async t => {
	t.timeout(20 * 60_000);
	const {exitCode, stderr} = await exec(['--timeout', '1'], ['sleep', '1000']);
	t.is(exitCode, 1);
	t.regex(stderr, /^hang debian-6\.1 › exec\/command\n {2}Timed out after /m);
});

test('lines of several kernels have the kernel in front, also the last one without a line feed', t => {
	const out: string[] = [];
	const to = {
		stdout: {write: (text: string) => out.push(text)},
		stderr: {write: (text: string) => out.push(`E ${text}`)},
	};
	const output = prefixed('k', to as unknown as typeof process);
	const euro = Buffer.from('a€b');
	output.onStdout(euro.subarray(0, 2));
	output.onStderr(Buffer.from('oops\n'));
	output.onStdout(Buffer.concat([euro.subarray(2), Buffer.from('\nrest')]));
	output.end();
	t.deepEqual(out, ['E k: oops\n', 'k: a€b\n', 'k: rest\n']);
	out.length = 0;
	output.onStderr(Buffer.from('first\nlast words'));
	output.end();
	t.deepEqual(out, ['E k: first\n', 'E k: last words\n']);
	output.end();
	t.is(out.length, 2);
});

test('the table says for each kernel how the command ended', t => {
	const cell = (kernel: string, verdict: 'pass' | 'crash', message?: string) =>
		({
			type: 'cell',
			kernel,
			mechanism: 'm',
			case: 'exec/command',
			repeat: 0,
			verdict,
			durationMs: 1,
			...(message && {message}),
		}) as const;
	const text = formatStatuses(['debian-6.1', 'b', 'c', 'd'], {
		finished: [cell('debian-6.1', 'pass'), cell('b', 'crash', 'Kernel panic\nmore'), cell('c', 'pass')],
		kernelEvents: [{type: 'kernel', kernel: 'd', state: 'unavailable'}],
		ends: new Map([
			['debian-6.1', {code: 0}],
			['c', {signal: 'KILL'}],
		]),
	});
	t.is(
		text,
		'debian-6.1  exit status 0\nb           crash: Kernel panic\nc           killed by SIGKILL\nd           unavailable\n',
	);
});

test('--copy takes files and directories, and a colon may be part of a name', async t => {
	await using directory = await mkdtempDisposable(path.join(tmpdir(), 'copies-'));
	const file = path.join(directory.path, 'a:b');
	await writeFile(file, 'x', {mode: 0o755});
	const paths = (copy: string) => readCopies([copy]).map(({path: name, mode}) => `${name} ${mode?.toString(8)}`);
	t.deepEqual(paths(file), ['a:b 755']);
	t.deepEqual(paths(`${file}:/opt/c`), ['/opt/c 755']);
	t.deepEqual(paths(`${directory.path}:d`), ['d/a:b 755']);
	t.throws(() => readCopies(['/nowhere']), {name: 'UsageError', message: /\/nowhere cannot be copied/});
});

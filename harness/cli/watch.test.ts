// SPDX-License-Identifier: GPL-2.0
import {spawn} from 'node:child_process';
import {once} from 'node:events';
import {readdirSync, readFileSync} from 'node:fs';
import {mkdir, mkdtempDisposable, readdir, utimes, writeFile} from 'node:fs/promises';
import {tmpdir} from 'node:os';
import path from 'node:path';
import {createInterface} from 'node:readline';
import type {Readable} from 'node:stream';
import {setTimeout as sleep} from 'node:timers/promises';
import test from 'ava';
import {projectRoot} from '../build/sources.ts';
import {fallbackKernel} from '../kernels/default-kernels.ts';
import {asText, type FakeRun, fakeRun} from '../test/fake-run.ts';
import {writeProgram} from '../test/write-program.ts';
import {isOutdatedBy} from './watch.ts';

const main = path.join(import.meta.dirname, 'main.js');

/** The lines of these streams, as they come; `said` waits until this many of them match. */
function readLines(...streams: readonly Readable[]) {
	const lines: string[] = [];
	const listeners = new Set<() => void>();
	for (const stream of streams)
		createInterface(stream).on('line', line => {
			lines.push(line);
			for (const listener of listeners) listener();
		});
	const said = async (pattern: RegExp, times: number) =>
		new Promise<void>(resolve => {
			const look = () => {
				if (lines.filter(line => pattern.test(line)).length >= times) resolve();
			};
			listeners.add(look);
			look();
		});
	return {lines, said};
}

/** Processes with this runtime directory in their environment. */
function alive(runtime: string): readonly string[] {
	return readdirSync('/proc').filter(name => {
		try {
			return /^\d+$/.test(name) && readFileSync(`/proc/${name}/environ`, 'latin1').includes(runtime);
		} catch {
			// It has ended, or belongs to another user.
			return false;
		}
	});
}

test('a standby process is outdated by each file of the harness that it has loaded, whatever else has changed', t => {
	const [module, cases, engine] = ['kmod/entry.c', 'harness/suites/bprobe/cases/entry.ts', 'harness/engine/plan.ts'];
	t.false(isOutdatedBy([module, cases]));
	t.true(isOutdatedBy([engine]));
	t.true(isOutdatedBy([module, engine]));
});

test.serial('--watch runs again after a change, prints the difference, and Ctrl-C leaves nothing behind', async t => {
	t.timeout(20 * 60_000);
	await using directory = await mkdtempDisposable(path.join(tmpdir(), 'watch-'));
	const args = [main, 'run', '--kernel', fallbackKernel, '--match', 'entry/sp-and-ip[asm]', '--watch'];
	const env = {...process.env, CI: 'true', XDG_RUNTIME_DIR: directory.path, TMPDIR: directory.path};
	const child = spawn(process.execPath, args, {env, stdio: ['ignore', 'pipe', 'pipe']});
	const {lines, said} = readLines(child.stdout, child.stderr);

	await said(/waiting for a change/, 1);
	t.is(lines.filter(line => line.startsWith('1 pass in')).length, 1);
	// It waits for as long as nothing changes. Without the wait, it would have ended by now.
	await sleep(500);
	t.is(child.exitCode, null);
	// Test files and build output are not watched sources.
	const now = new Date();
	await utimes(path.join(import.meta.dirname, 'watch.test.ts'), now, now);
	await utimes(path.join(projectRoot, 'kmod/entry.c'), now, now);
	await said(/waiting for a change/, 2);
	t.true(lines.includes('kmod/entry.c changed'), lines.join('\n'));
	t.is(lines.filter(line => line.startsWith('1 pass in')).length, 2);
	t.true(lines.includes('no difference'));
	// What changes while a round runs begins the next one.
	await utimes(path.join(projectRoot, 'kmod/entry.c'), now, now);
	await said(/^kmod\/entry\.c changed/, 2);
	await utimes(path.join(projectRoot, 'kmod/site.c'), now, now);
	await said(/waiting for a change/, 4);
	t.true(lines.includes('kmod/site.c changed'), lines.join('\n'));

	const ended = new Promise<number | null>(resolve => child.once('exit', resolve));
	child.kill('SIGINT');
	t.is(await ended, 130);
	t.is(lines.filter(line => line.includes('stopping the guests')).length, 1);
	t.deepEqual(alive(directory.path), []);
	t.deepEqual(
		(await readdir(directory.path)).filter(name => name.startsWith('probe-matrix-watch')),
		[],
	);
});

/** In place of setpriv, which starts each round: after the call of its parent, it writes the events that are in a file. */
const fakeRound = `#!/bin/sh
read -r _ || exit 0
while [ "$1" != --json ]; do shift; done
[ ! -s "$EVENTS" ] || cat "$EVENTS" >"$2"
echo "ran $(cat "$EVENTS.name")"
`;

const both = {'k a/b': 'pass', 'k a/c': 'pass'} as const;

/** Rounds after which nothing is known of the cells. */
const rounds: Readonly<Record<string, FakeRun | undefined>> = {
	'could not run': {kernels: [{type: 'kernel', kernel: 'k', state: 'failed', reason: 'no gcc', notRun: 2}]},
	'left no events': undefined,
	'was interrupted': {cells: {'k a/b': 'fail'}, isInterrupted: true},
};

for (const [what, between] of Object.entries(rounds)) {
	test(`--watch compares a round with the last that ran, not with one that ${what}`, async t => {
		t.timeout(10 * 60_000);
		const {path: directory, remove} = await mkdtempDisposable(path.join(tmpdir(), 'watch-'));
		t.teardown(remove);
		// Tests may lie anywhere, also in a directory with a dot.
		const [tests, events] = [path.join(directory, '.own/tests'), path.join(directory, 'events')];
		const script = path.join(tests, 'a.sh');
		await mkdir(tests, {recursive: true});
		await writeProgram(script, '#!/bin/sh\n');
		await writeProgram(path.join(directory, 'setpriv'), fakeRound);
		const setRound = async (id: string, run: FakeRun | undefined) => {
			await writeFile(events, run === undefined ? '' : asText(fakeRun({id, ...run})));
			await writeFile(`${events}.name`, id);
		};
		await setRound('first', {cells: both});
		// One stream, so that the lines are in the order in which they were written.
		const command = ['-c', 'exec "$0" "$@" 2>&1', process.execPath, main, 'run', '--watch', '--tests', tests];
		const PATH = `${directory}:${process.env.PATH}`;
		const env = {...process.env, PATH, EVENTS: events, CI: 'true', NO_COLOR: '1', GITHUB_ACTIONS: ''};
		const child = spawn('sh', command, {env, stdio: ['ignore', 'pipe', 'inherit']});
		t.teardown(() => child.kill('SIGKILL'));
		const closed = once(child, 'close');
		const {lines, said} = readLines(child.stdout);
		/** Waits until a round has run and another is waited for. */
		const ran = async (id: string) => {
			await said(new RegExp(`^ran ${id}$`), 1);
			await said(/waiting for a change/, lines.filter(line => line.startsWith('ran ')).length);
		};

		await ran('first');
		for (const [id, run] of [
			['between', between],
			['second', {cells: {...both, 'k a/c': 'fail'}}],
		] as const) {
			await setRound(id, run);
			await utimes(script, new Date(), new Date());
			await ran(id);
		}
		child.kill('SIGINT');
		await closed;
		// A busy host may tell of one change twice, and the same round is run once more.
		const compared = lines.filter(line => /^(?:before|after) /.test(line)).map(line => line.split(/ +/, 2)[1]);
		t.deepEqual(
			compared.filter(id => id !== 'first' && id !== 'second'),
			[],
			lines.join('\n'),
		);
		const at = lines.findIndex(line => line.startsWith('after   second '));
		t.deepEqual(lines.slice(at - 1, at + 5), [
			'before  first  2 cells, exit status 0',
			'after   second  2 cells, exit status 1',
			'',
			'new failures: 1',
			'  k a/c  pass → fail',
			'    a fail',
		]);
	});
}

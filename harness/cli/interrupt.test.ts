// SPDX-License-Identifier: GPL-2.0
import {type ChildProcess, spawn} from 'node:child_process';
import {mkdtempDisposable, readdir, readFile, writeFile} from 'node:fs/promises';
import {tmpdir} from 'node:os';
import path from 'node:path';
import {createInterface} from 'node:readline';
import {setTimeout as sleep} from 'node:timers/promises';
import test from 'ava';
import {execa} from 'execa';
import {fallbackKernel} from '../kernels/default-kernels.ts';
import {readRun} from '../results/run/read-run.ts';

const main = path.join(import.meta.dirname, 'main.js');

/** Starts a run and waits until its progress shows a line that matches. Also returns its runtime directory. */
async function startRun(
	until = /: ready after /,
	options: readonly string[] = ['--match', 'race/*'],
): Promise<{child: ChildProcess; runtime: AsyncDisposable & {path: string}}> {
	const directory = await mkdtempDisposable(path.join(tmpdir(), 'interrupt-'));
	const runtime = {path: directory.path, [Symbol.asyncDispose]: () => directory.remove()};
	const args = [main, 'run', '--kernel', fallbackKernel, ...options];
	const child = spawn(process.execPath, args, {
		env: {...process.env, CI: 'true', XDG_RUNTIME_DIR: directory.path},
		stdio: ['ignore', 'ignore', 'pipe'],
	});
	for await (const line of createInterface(child.stderr!)) if (until.test(line)) break;
	child.stderr!.resume();
	return {child, runtime};
}

const end = (child: ChildProcess) =>
	new Promise<{code: number | null; signal: string | null}>(resolve =>
		child.once('exit', (code, signal) => resolve({code, signal})),
	);

/** Processes with this runtime directory in their environment: the run and its guests. */
async function alive(runtime: string): Promise<readonly string[]> {
	const found: string[] = [];
	for (const pid of (await readdir('/proc')).filter(name => /^\d+$/.test(name))) {
		const environ = await readFile(`/proc/${pid}/environ`, 'latin1').catch(() => '');
		if (environ.includes(`XDG_RUNTIME_DIR=${runtime}\0`)) found.push(pid);
	}
	return found;
}

for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) {
	test.serial(`${signal} ends a run and its guests in order and leaves nothing behind`, async t => {
		t.timeout(20 * 60_000);
		const {child, runtime} = await startRun();
		await using _ = runtime;
		t.true((await alive(runtime.path)).length > 1, 'a guest runs');
		const ended = end(child);
		child.kill(signal);
		t.deepEqual(await ended, {code: 130, signal: null});
		t.deepEqual(await alive(runtime.path), []);
		t.deepEqual(await readdir(path.join(runtime.path, 'probe-matrix')), []);
	});
}

test.serial('a second SIGINT exits at once and ends the guests', async t => {
	t.timeout(20 * 60_000);
	const {child, runtime} = await startRun();
	await using _ = runtime;
	const guests = (await alive(runtime.path)).filter(pid => Number(pid) !== child.pid);
	t.true(guests.length > 0, 'a guest runs');
	// A stopped QEMU cannot be shut down in order.
	for (const pid of guests) process.kill(Number(pid), 'SIGSTOP');
	const ended = end(child);
	child.kill('SIGINT');
	await sleep(1200);
	child.kill('SIGINT');
	t.deepEqual(await ended, {code: 130, signal: null});
	await sleep(500);
	t.deepEqual(await alive(runtime.path), []);
});

test.serial('a killed run is resumed, and both parts make one run', async t => {
	t.timeout(20 * 60_000);
	await using directory = await mkdtempDisposable(path.join(tmpdir(), 'resume-'));
	const file = (name: string) => path.join(directory.path, name);
	// Cells of seconds: the last has to run still when the first is written, however late this process sees that.
	const options = ['--match', 'race/module-reload-storm'];
	const {child, runtime} = await startRun(/^1\/3 pass/, [...options, '--json', file('first')]);
	await using _ = runtime;
	const ended = end(child);
	// The verdict shown when a case ends becomes final a second later.
	while (!(await readFile(file('first'), 'utf8')).includes('"type":"cell"')) await sleep(20);
	child.kill('SIGKILL');
	t.like(await ended, {signal: 'SIGKILL'});

	const goOn = (...args: readonly string[]) =>
		execa(process.execPath, [main, 'run', '--kernel', fallbackKernel, ...options, ...args], {
			reject: false,
			env: {CI: 'true'},
		});
	const first = await readRun(file('first'));
	const done = first.cells.length;
	t.true(done >= 1 && done < 3, `${done} cells`);
	const {exitCode, stderr} = await goOn('--resume', file('first'), '--json', file('whole'), '--history', file('runs'));
	t.is(exitCode, 0, stderr);
	t.regex(stderr, new RegExp(`^probe-matrix: resuming .*first: ${done} of 3 cells are done\\.$`, 'm'));
	t.regex(stderr, new RegExp(`^${3 - done}/${3 - done} pass`, 'm'));
	const whole = await readRun(file('whole'));
	t.false(whole.isInterrupted);
	t.deepEqual(whole.cells[0], first.cells[0]);
	t.deepEqual(whole.cells.map(({target}) => `${target}`).toSorted(), ['asm', 'asm-fentry', 'c']);
	t.is(whole.end?.counts.pass, 3);
	const kept = await execa(process.execPath, [main, 'history', 'list', '--history', file('runs')]);
	t.regex(kept.stdout, /^\S+ +run +exit 0 +1 kernel +3 pass$/m);

	const over = await goOn('--resume', file('whole'));
	t.is(over.exitCode, 0);
	t.regex(over.stderr, /resuming .*whole: 3 of 3 cells are done/);
	t.regex(over.stdout, /^3 pass in/m);
	for (const name of [file('whole'), path.relative(process.cwd(), file('whole'))]) {
		const same = await goOn('--resume', file('whole'), '--json', name);
		t.is(same.exitCode, 2, name);
		t.regex(same.stderr, /--json would overwrite .*, which --resume reads/);
	}

	const text = await readFile(file('first'), 'utf8');
	await writeFile(file('other'), text.replace(/"probe-matrix":"\w+"/, '"probe-matrix":"0123456789ab"'));
	const other = await goOn('--resume', file('other'));
	t.is(other.exitCode, 2);
	t.regex(
		other.stderr,
		/other was made with probe-matrix 0123456789ab, this run with \w+: these are not shards of one run/,
	);
});

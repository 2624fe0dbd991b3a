// SPDX-License-Identifier: GPL-2.0
import {spawn} from 'node:child_process';
import {once} from 'node:events';
import {existsSync, readFileSync, writeFileSync} from 'node:fs';
import {mkdtempDisposable, readFile} from 'node:fs/promises';
import {tmpdir} from 'node:os';
import path from 'node:path';
import test from 'ava';
import {LinkLostError} from '../host/errors.ts';
import type {Qemu} from '../host/qemu.ts';
import {QemuProcess} from './qemu-process.ts';
import type {Qmp} from './qmp.ts';

/** A program in the place of QEMU: a script of the shell, whose arguments are those of QEMU. */
const qemu = (script: string, environment: Readonly<Record<string, string>> = {}): Qemu => ({
	...{command: ['sh', '-c', script, 'qemu'], environment, version: '10.0.0'},
	...{tcgThread: 'multi', hasQboot: false, canBeSandboxed: false},
});

const monitor = (execute: (command: string) => unknown) =>
	({execute: async (command: string) => execute(command)}) as Qmp;

async function until(isDone: () => boolean): Promise<void> {
	while (!isDone()) await new Promise(resolve => setTimeout(resolve, 10));
}

test('the end of QEMU has its exit status and what it said', async t => {
	await using child = QemuProcess.start(qemu('echo "$1 $WORD" >&2; cat; exit 3', {WORD: 'word'}), ['-first']);
	t.deepEqual(await child.ended, {code: 3, signal: undefined, stderr: '-first word'});
});

test('the end of QEMU has the signal that killed it', async t => {
	await using child = QemuProcess.start(qemu('echo words >&2; kill -SEGV $$'), []);
	t.deepEqual(await child.ended, {code: undefined, signal: 'SIGSEGV', stderr: 'words'});
});

test('QEMU is asked to quit before it is sent a signal', async t => {
	await using directory = await mkdtempDisposable(path.join(tmpdir(), 'quit-'));
	const fifo = path.join(directory.path, 'fifo');
	const script = `mkfifo '${fifo}'; touch '${fifo}.ready'; read word <'${fifo}'; exit 7`;
	const child = QemuProcess.start(qemu(script), []);
	await until(() => existsSync(`${fifo}.ready`));
	const asked: string[] = [];
	child.quitBy(
		monitor(command => {
			asked.push(command);
			// It has ended before anything else can happen here.
			writeFileSync(fifo, 'quit\n');
			while (/\) [^Z]/.test(readFileSync(`/proc/${child.pid}/stat`, 'latin1')));
		}),
	);
	await child[Symbol.asyncDispose]();
	t.deepEqual(asked, ['quit']);
	t.like(await child.ended, {code: 7, signal: undefined});
});

for (const [what, quit] of [
	['has no monitor', undefined],
	['refuses to quit', () => Promise.reject(new LinkLostError('gone'))],
	['does not answer', () => new Promise(() => {})],
] as const) {
	test(`a QEMU that ${what} is terminated`, async t => {
		const child = QemuProcess.start(qemu('exec sleep 600'), []);
		if (quit) child.quitBy(monitor(quit));
		await child[Symbol.asyncDispose]();
		t.like(await child.ended, {signal: 'SIGTERM'});
	});
}

test('a QEMU that does not heed that is killed', async t => {
	await using directory = await mkdtempDisposable(path.join(tmpdir(), 'kill-'));
	const ready = path.join(directory.path, 'ready');
	const child = QemuProcess.start(qemu(`trap '' TERM; touch '${ready}'; while :; do sleep 0.1; done`), []);
	await until(() => existsSync(ready));
	await child[Symbol.asyncDispose]();
	t.like(await child.ended, {signal: 'SIGKILL'});
});

test('a QEMU that has ended is not asked for anything', async t => {
	const child = QemuProcess.start(qemu('exit 0'), []);
	await child.ended;
	child.quitBy(monitor(() => t.fail()));
	await child[Symbol.asyncDispose]();
	t.pass();
});

test('work gives its result, unless QEMU ends or somebody interrupts first', async t => {
	const never = new Promise<never>(() => {});
	const child = QemuProcess.start(qemu('exec sleep 600'), []);
	t.is(await child.unlessItEnds(Promise.resolve(7), {}), 7);
	const interrupted = child.unlessItEnds(never, {signal: AbortSignal.abort(new RangeError('enough'))});
	await t.throwsAsync(interrupted, {instanceOf: RangeError});
	const lost = t.throwsAsync(child.unlessItEnds(never, {}), {instanceOf: LinkLostError, message: 'QEMU has ended.'});
	await child[Symbol.asyncDispose]();
	await lost;
});

test('QEMU ends with the harness, even if that is killed', async t => {
	t.timeout(60_000);
	const script = `import {QemuProcess} from ${JSON.stringify(path.join(import.meta.dirname, 'qemu-process.ts'))};
		console.log(QemuProcess.start({command: ['sleep'], environment: {}}, ['600']).pid);`;
	const harness = spawn(process.execPath, ['--input-type=module', '-e', script], {
		stdio: ['ignore', 'pipe', 'inherit'],
	});
	const [data] = (await once(harness.stdout, 'data')) as [Buffer];
	const pid = Number(data.toString());
	const isRunning = async () => {
		const stat = await readFile(`/proc/${pid}/stat`, 'latin1').catch(() => '');
		return /\) [^Z]/.test(stat);
	};
	while (!(await readFile(`/proc/${pid}/cmdline`, 'latin1')).startsWith('sleep'))
		await new Promise(resolve => setTimeout(resolve, 10));
	harness.kill('SIGKILL');
	// Without an end, this test would not end, either.
	while (await isRunning()) await new Promise(resolve => setTimeout(resolve, 10));
	t.false(await isRunning());
});

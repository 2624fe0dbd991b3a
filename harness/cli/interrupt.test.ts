import {type ChildProcess, spawn} from 'node:child_process';
import {mkdtempDisposable, readdir, readFile} from 'node:fs/promises';
import {tmpdir} from 'node:os';
import path from 'node:path';
import {createInterface} from 'node:readline';
import {setTimeout as sleep} from 'node:timers/promises';
import test from 'ava';
import {embeddedKernel} from '../matrix/tested-kernels.ts';

const main = path.join(import.meta.dirname, 'main.ts');

/** A run that is amid its cells, and the place of what it keeps while it runs. */
async function startRun(): Promise<{child: ChildProcess; runtime: AsyncDisposable & {path: string}}> {
	const directory = await mkdtempDisposable(path.join(tmpdir(), 'interrupt-'));
	const runtime = {path: directory.path, [Symbol.asyncDispose]: () => directory.remove()};
	const args = [main, 'run', '--kernel', embeddedKernel, '--match', 'race/*'];
	const child = spawn(process.execPath, args, {
		env: {...process.env, CI: 'true', XDG_RUNTIME_DIR: directory.path},
		stdio: ['ignore', 'ignore', 'pipe'],
	});
	for await (const line of createInterface(child.stderr!)) if (/: ready after /.test(line)) break;
	child.stderr!.resume();
	return {child, runtime};
}

const end = (child: ChildProcess) =>
	new Promise<{code: number | null; signal: string | null}>(resolve =>
		child.once('exit', (code, signal) => resolve({code, signal})),
	);

/** Processes whose environment names that place: the run and its guests. */
async function alive(runtime: string): Promise<readonly string[]> {
	const found: string[] = [];
	for (const pid of (await readdir('/proc')).filter(name => /^\d+$/.test(name))) {
		const environ = await readFile(`/proc/${pid}/environ`, 'latin1').catch(() => '');
		if (environ.includes(`XDG_RUNTIME_DIR=${runtime}\0`)) found.push(pid);
	}
	return found;
}

for (const signal of ['SIGINT', 'SIGTERM'] as const) {
	test.serial(`${signal} ends a run and its guests in order and leaves nothing`, async t => {
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

test.serial('a second SIGINT leaves at once, and the guests go with it', async t => {
	t.timeout(20 * 60_000);
	const {child, runtime} = await startRun();
	await using _ = runtime;
	const guests = (await alive(runtime.path)).filter(pid => Number(pid) !== child.pid);
	t.true(guests.length > 0, 'a guest runs');
	// One that stands still cannot end in order.
	for (const pid of guests) process.kill(Number(pid), 'SIGSTOP');
	const ended = end(child);
	child.kill('SIGINT');
	await sleep(1200);
	child.kill('SIGINT');
	t.deepEqual(await ended, {code: 130, signal: null});
	await sleep(500);
	t.deepEqual(await alive(runtime.path), []);
});

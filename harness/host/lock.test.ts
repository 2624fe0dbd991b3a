// SPDX-License-Identifier: GPL-2.0
import {spawn} from 'node:child_process';
import {once} from 'node:events';
import {mkdtempDisposable, readdir, writeFile} from 'node:fs/promises';
import {tmpdir} from 'node:os';
import path from 'node:path';
import {setTimeout as sleep} from 'node:timers/promises';
import test from 'ava';
import {withLock} from './lock.ts';

test('two callers in one process never hold the lock at once', async t => {
	await using directory = await mkdtempDisposable(path.join(tmpdir(), 'lock-'));
	let inside = 0;
	const work = async () => {
		inside += 1;
		t.is(inside, 1);
		await new Promise(setImmediate);
		inside -= 1;
	};
	await Promise.all([1, 2, 3].map(() => withLock('it', {directory: directory.path}, work)));
	t.is(inside, 0);
});

test('the lock is released when work fails', async t => {
	await using directory = await mkdtempDisposable(path.join(tmpdir(), 'lock-'));
	const options = {directory: directory.path};
	await t.throwsAsync(
		withLock('it', options, () => Promise.reject(new RangeError('no'))),
		{instanceOf: RangeError},
	);
	t.is(await withLock('it', options, () => Promise.resolve(7)), 7);
});

test('a lock of another process blocks until that process is killed', async t => {
	await using directory = await mkdtempDisposable(path.join(tmpdir(), 'lock-'));
	const script = `import {withLock} from ${JSON.stringify(path.join(import.meta.dirname, 'lock.ts'))};
		await withLock('it', {directory: process.argv[1]}, async () => { console.log('held'); await new Promise(r => setTimeout(r, 60000)); });`;
	const child = spawn(process.execPath, ['--input-type=module', '-e', script, directory.path], {
		stdio: ['ignore', 'pipe', 'inherit'],
	});
	t.teardown(() => child.kill('SIGKILL'));
	await once(child.stdout, 'data');
	const tried = withLock('it', {directory: directory.path, signal: AbortSignal.timeout(150)}, () => Promise.resolve());
	await t.throwsAsync(tried, {name: 'AbortError'});
	child.kill('SIGKILL');
	await t.notThrowsAsync(withLock('it', {directory: directory.path}, () => Promise.resolve()));
});

test('who waits for long is told so, once', async t => {
	await using directory = await mkdtempDisposable(path.join(tmpdir(), 'lock-'));
	const script = `import {withLock} from ${JSON.stringify(path.join(import.meta.dirname, 'lock.ts'))};
		await withLock('it', {directory: process.argv[1]}, async () => console.error('held'));`;
	const lines = await withLock('it', {directory: directory.path}, async () => {
		const child = spawn(process.execPath, ['--input-type=module', '-e', script, directory.path], {
			stdio: ['ignore', 'ignore', 'pipe'],
		});
		t.teardown(() => child.kill('SIGKILL'));
		let said = '';
		child.stderr.on('data', (data: Buffer) => {
			said += data.toString();
		});
		await once(child.stderr, 'data');
		// Time for many more looks at the lock.
		await sleep(1000);
		child.kill('SIGKILL');
		return said;
	});
	t.is(lines, 'probe-matrix: waiting for another process that works on it.\n');
});

for (const [what, bytes] of [
	['is no database', Buffer.alloc(8192, 'x')],
	['begins like a database', Buffer.concat([Buffer.from('SQLite format 3\0'), Buffer.alloc(8192, 0xff)])],
] as const) {
	test(`a lock file that ${what}, as after a power loss, is taken like an empty one`, async t => {
		await using directory = await mkdtempDisposable(path.join(tmpdir(), 'lock-'));
		// Not taken like an empty one, it would be waited for without an end.
		const take = () => withLock('it', {directory: directory.path, signal: AbortSignal.timeout(20_000)}, async () => 7);
		await take();
		const [name] = await readdir(directory.path);
		await writeFile(path.join(directory.path, name!), bytes);
		t.is(await take(), 7);
	});
}

// SPDX-License-Identifier: GPL-2.0
import {execFile} from 'node:child_process';
import {mkdtempDisposable, readdir, readFile, stat} from 'node:fs/promises';
import {tmpdir} from 'node:os';
import path from 'node:path';
import test from 'ava';
import {CommandFailedError} from '../host/errors.ts';
import {type Behaviour, FakeSshServer, finish} from '../test/fake-ssh-server.ts';
import {push, pushFromRoot} from './transfer.ts';

/** Runs commands in a shell of this host. */
const shell: Behaviour = (command, channel) => {
	const child = execFile('sh', ['-c', command], {encoding: 'buffer', maxBuffer: 1 << 26}, (error, stdout, stderr) => {
		channel.stderr.write(stderr);
		channel.write(stdout, () => finish(channel, typeof error?.code === 'number' ? error.code : 0));
	});
	channel.pipe(child.stdin!);
};

test('pushed files arrive with their modes, and no others', async t => {
	await using directory = await mkdtempDisposable(path.join(tmpdir(), "it's "));
	await using guest = await FakeSshServer.start(shell);
	await using link = await guest.link();
	const data = Buffer.from(Array.from({length: 300_000}, (_, index) => index % 251));
	const files = [
		{path: 'a/tool', data, mode: 0o755},
		{path: 'empty', data: Buffer.alloc(0), mode: 0o644},
	];
	await push(link, path.join(directory.path, 'new'), files);
	t.deepEqual(await readFile(path.join(directory.path, 'new/a/tool')), data);
	t.is((await stat(path.join(directory.path, 'new/a/tool'))).mode & 0o777, 0o755);
	t.deepEqual(await readFile(path.join(directory.path, 'new/empty')), Buffer.alloc(0));
	t.deepEqual((await readdir(path.join(directory.path, 'new'))).toSorted(), ['a', 'empty']);
});

test('files of a case are below /root, or where an absolute path says', async t => {
	const names: string[] = [];
	await using guest = await FakeSshServer.start((_command, channel) => {
		const list = execFile('tar', ['-t'], (_error, stdout) => {
			names.push(...stdout.trim().split('\n'));
			finish(channel, 0);
		});
		channel.pipe(list.stdin!);
	});
	await using link = await guest.link();
	const paths = ['tool', '/etc/tool.conf', '../tmp/tool', '/root/other'];
	await pushFromRoot(
		link,
		paths.map(each => ({path: each, data: Buffer.alloc(0)})),
	);
	t.deepEqual(names, ['root/tool', 'etc/tool.conf', 'tmp/tool', 'root/other', '.pushed']);
});

test('an archive that is cut between two entries fails', async t => {
	await using directory = await mkdtempDisposable(path.join(tmpdir(), 'push-'));
	const files = ['a', 'b'].map(name => ({path: name, data: Buffer.alloc(512, name)}));
	// Each entry is a header and a block of data.
	for (const [entries, whole] of [
		[1, false],
		[2, false],
		[3, true],
	] as const) {
		await using guest = await FakeSshServer.start((command, channel) => {
			const child = execFile('sh', ['-c', command], (error, _, stderr) => {
				channel.stderr.write(stderr, () => finish(channel, typeof error?.code === 'number' ? error.code : 0));
			});
			let left = entries * 1024 - (whole ? 512 : 0);
			channel.on('data', (chunk: Buffer) => {
				if (left > 0) child.stdin!.write(chunk.subarray(0, left));
				left -= chunk.length;
				if (left <= 0) child.stdin!.end();
			});
		});
		await using link = await guest.link();
		const pushed = push(link, directory.path, files);
		if (whole) await t.notThrowsAsync(pushed);
		else await t.throwsAsync(pushed, {instanceOf: CommandFailedError, message: /the archive was cut/});
	}
});

// SPDX-License-Identifier: GPL-2.0
import {once} from 'node:events';
import {mkdtempDisposable} from 'node:fs/promises';
import net from 'node:net';
import {tmpdir} from 'node:os';
import path from 'node:path';
import test from 'ava';
import {RunDirectory} from './run-directory.ts';
import {Sockets} from './sockets.ts';

async function connect(file: string): Promise<net.Socket> {
	const socket = net.connect(file);
	await once(socket, 'connect');
	return socket;
}

test('each socket has a path in the directory, and gives the first connection that comes to it', async t => {
	await using base = await mkdtempDisposable(path.join(tmpdir(), 'sockets-'));
	await using directory = await RunDirectory.create(base.path);
	using sockets = await Sockets.listen(directory, ['qmp', 'agent']);
	t.deepEqual(sockets.paths, {qmp: directory.file('qmp'), agent: directory.file('agent')});
	// In the other order, and one more.
	const clients = [await connect(sockets.paths.agent), await connect(sockets.paths.qmp)];
	clients[0]!.write('to the agent');
	clients[1]!.write('to the monitor');
	clients.push(await connect(sockets.paths.qmp));
	clients[2]!.write('too late');
	for (const [name, words] of [
		['qmp', 'to the monitor'],
		['agent', 'to the agent'],
	] as const) {
		const server = await sockets.connections[name];
		const [data] = (await once(server, 'data')) as [Buffer];
		t.is(data.toString(), words);
		server.destroy();
	}
	for (const client of clients) client.destroy();
});

test('disposed of, they accept no further connection, and those that exist stay', async t => {
	await using base = await mkdtempDisposable(path.join(tmpdir(), 'sockets-'));
	await using directory = await RunDirectory.create(base.path);
	const sockets = await Sockets.listen(directory, ['qmp']);
	const client = await connect(sockets.paths.qmp);
	const server = await sockets.connections.qmp;
	sockets[Symbol.dispose]();
	await t.throwsAsync(connect(sockets.paths.qmp), {code: 'ENOENT'});
	client.write('still here');
	t.is(String((await once(server, 'data'))[0]), 'still here');
	client.destroy();
	server.destroy();
});

test('a socket that cannot be made is an error at once', async t => {
	await using base = await mkdtempDisposable(path.join(tmpdir(), 'sockets-'));
	await using directory = await RunDirectory.create(base.path);
	const name = 'x'.repeat(120);
	await t.throwsAsync(Sockets.listen(directory, [name]));
});

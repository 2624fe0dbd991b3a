// SPDX-License-Identifier: GPL-2.0
import {once} from 'node:events';
import net from 'node:net';
import {createInterface} from 'node:readline';
import test, {type ExecutionContext} from 'ava';
import {GuestError, LinkLostError} from '../host/errors.ts';
import {Qmp, type QmpEvent} from './qmp.ts';

type Request = {execute: string; id: number};

/** A fake monitor; `answer` may write to the socket as it likes. */
async function fakeQemu(t: ExecutionContext, answer: (request: Request, socket: net.Socket) => void): Promise<Qmp> {
	const server = net.createServer(socket => {
		socket.on('error', () => {});
		socket.write('{"QMP": {"version": {}}}\r\n');
		createInterface(socket).on('line', line => {
			const request = JSON.parse(line) as Request;
			if (request.execute === 'qmp_capabilities') socket.write(`{"return": {}, "id": ${request.id}}\r\n`);
			else answer(request, socket);
		});
	});
	server.listen(0, '127.0.0.1');
	await once(server, 'listening');
	t.teardown(() => server.close());
	const socket = net.connect((server.address() as net.AddressInfo).port, '127.0.0.1');
	const qmp = await Qmp.open(socket);
	t.teardown(() => qmp[Symbol.asyncDispose]());
	return qmp;
}

test('answers are matched to commands in any order', async t => {
	const held: number[] = [];
	const qmp = await fakeQemu(t, ({id}, socket) => {
		held.push(id);
		if (held.length === 2) for (const one of held.toReversed()) socket.write(`{"return": ${one}, "id": ${one}}\n`);
	});
	const [first, second] = await Promise.all([qmp.execute<number>('a'), qmp.execute<number>('b')]);
	t.true(first < second);
});

test('an answer in pieces is put together', async t => {
	const qmp = await fakeQemu(t, ({id}, socket) => {
		const [head, tail] = ['{"return": {"status": "run', `ning"}, "id": ${id}}\n`];
		socket.write(head, () => setImmediate(() => socket.write(tail)));
	});
	t.deepEqual(await qmp.execute('query-status'), {status: 'running'});
});

test('an error answer is a GuestError with the reason', async t => {
	const qmp = await fakeQemu(t, ({id}, socket) => {
		socket.write(`{"error": {"class": "CommandNotFound", "desc": "no such thing"}, "id": ${id}}\n`);
	});
	await t.throwsAsync(qmp.execute('nonsense'), {instanceOf: GuestError, message: /nonsense: no such thing/});
});

test('events reach their listeners, not pending commands', async t => {
	const events: QmpEvent[] = [];
	const qmp = await fakeQemu(t, ({id}, socket) => {
		socket.write(`{"event": "STOP", "timestamp": {}}\n{"return": {}, "id": ${id}}\n`);
	});
	qmp.onEvent(event => events.push(event));
	await qmp.execute('stop');
	t.deepEqual(
		events.map(({event}) => event),
		['STOP'],
	);
});

for (const [end, act] of Object.entries({
	'that closes': (socket: net.Socket) => socket.end(),
	'that resets': (socket: net.Socket) => socket.resetAndDestroy(),
	'that sends invalid JSON': (socket: net.Socket) => socket.write('what?\n'),
})) {
	test(`a QEMU ${end} ends every pending and every later command`, async t => {
		const qmp = await fakeQemu(t, ({execute}, socket) => {
			if (execute === 'b') act(socket);
		});
		const waiting = [qmp.execute('a'), qmp.execute('b')];
		for (const each of waiting) await t.throwsAsync(each, {instanceOf: LinkLostError});
		await t.throwsAsync(qmp.execute('c'), {instanceOf: LinkLostError});
	});
}

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

test('a command goes with its arguments, and one of the human monitor as it was written', async t => {
	const requests: unknown[] = [];
	const qmp = await fakeQemu(t, (request, socket) => {
		requests.push(request);
		socket.write(`{"return": "CPU#0 \u00e9\u2713", "id": ${request.id}}\n`);
	});
	t.is(await qmp.human(' info registers -a '), 'CPU#0 \u00e9\u2713');
	await qmp.execute('set-action', {shutdown: 'pause'});
	t.like(requests[0], {execute: 'human-monitor-command', arguments: {'command-line': ' info registers -a '}});
	t.like(requests[1], {execute: 'set-action', arguments: {shutdown: 'pause'}});
});

test('a listener that is disposed of hears no more, and others go on', async t => {
	const heard: string[] = [];
	const qmp = await fakeQemu(t, ({id}, socket) => {
		socket.write(`{"event": "STOP", "data": {"n": ${id}}}\n{"return": {}, "id": ${id}}\n`);
	});
	const first = qmp.onEvent(({event, data}) => heard.push(`first ${event} ${String(data?.n)}`));
	qmp.onEvent(({event, data}) => heard.push(`second ${event} ${String(data?.n)}`));
	await qmp.execute('a');
	first[Symbol.dispose]();
	await qmp.execute('b');
	t.deepEqual(heard, ['first STOP 2', 'second STOP 2', 'second STOP 3']);
});

test('an answer to nobody is dropped, and a command is answered once', async t => {
	const qmp = await fakeQemu(t, ({id}, socket) => {
		socket.write(`{"return": "nobody"}\n{"return": "other", "id": 99}\n\n`);
		socket.write(`{"return": "own", "id": ${id}}\n{"error": {"class": "x", "desc": "late"}, "id": ${id}}\n`);
	});
	t.is(await qmp.execute('a'), 'own');
	t.is(await qmp.execute('b'), 'own');
});

for (const [what, greet, how, error] of [
	['does not answer', () => {}, AbortSignal.timeout(50), {name: 'TimeoutError'}],
	[
		'refuses',
		(id: number) => `{"error": {"class": "x", "desc": "no"}, "id": ${id}}\n`,
		undefined,
		{instanceOf: GuestError},
	],
] as const)
	test(`the socket of a monitor that ${what} when it is opened is closed`, async t => {
		const {promise: closed, resolve: close} = Promise.withResolvers<void>();
		const server = net.createServer(socket => {
			socket.on('error', () => {});
			socket.on('close', () => close());
			createInterface(socket).on('line', line => {
				const answer = greet((JSON.parse(line) as Request).id);
				if (answer) socket.write(answer);
			});
		});
		server.listen(0, '127.0.0.1');
		await once(server, 'listening');
		t.teardown(() => server.close());
		const socket = net.connect((server.address() as net.AddressInfo).port, '127.0.0.1');
		await t.throwsAsync(Qmp.open(socket, how ? {signal: how} : {}), error);
		t.true(socket.destroyed);
		await closed;
	});

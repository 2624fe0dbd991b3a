// SPDX-License-Identifier: GPL-2.0
import {once} from 'node:events';
import {mkdtempDisposable} from 'node:fs/promises';
import net from 'node:net';
import {tmpdir} from 'node:os';
import path from 'node:path';
import test, {type ExecutionContext} from 'ava';
import {GuestError, LinkLostError} from '../host/errors.ts';
import {retranslate} from './gdb-stub.ts';

const hangUp = Symbol('it hangs up');
const nothing = Symbol('it says nothing');

type Stub = {
	readonly file: string;
	/** The commands it got, in order. */
	readonly commands: readonly string[];
	/** Resolves when the visitor has gone. */
	readonly left: Promise<unknown>;
};

/** A stub as strict as QEMU's. It hangs up on a packet whose checksum is wrong; `answer` says what it does at others. */
async function openStub(
	t: ExecutionContext,
	answer: (command: string) => string | typeof hangUp | typeof nothing,
): Promise<Stub> {
	const directory = await mkdtempDisposable(path.join(tmpdir(), 'gdb-'));
	t.teardown(() => directory.remove());
	const file = path.join(directory.path, 'gdb');
	const commands: string[] = [];
	const {promise: left, resolve} = Promise.withResolvers<void>();
	const server = net.createServer(socket => {
		let rest = '';
		socket.on('close', resolve);
		// The visitor may be gone before its last answer.
		socket.on('error', () => {});
		socket.on('data', data => {
			rest += data.toString('latin1');
			for (let packet = packetPattern.exec(rest); packet; packet = packetPattern.exec(rest)) {
				rest = rest.slice(packet[0].length);
				const [, command, sum] = packet as unknown as [string, string, string];
				if (sum !== sumOf(command)) return void socket.destroy();
				commands.push(command);
				const said = answer(command);
				if (said === hangUp) return void socket.destroy();
				if (said === nothing) return;
				// QEMU tells that it has stopped the guest, unasked. An answer may come in pieces.
				const reply = `+${packetOf('T05thread:01;')}${packetOf(said)}`;
				socket.write(reply.slice(0, 25));
				socket.write(reply.slice(25));
			}
		});
	});
	server.listen(file);
	await once(server, 'listening');
	t.teardown(() => server.close());
	return {file, commands, left};
}

const packetPattern = /^\+*\$([^#]*)#([\da-f]{2})/;

function sumOf(text: string): string {
	const sum = [...Buffer.from(text, 'latin1')].reduce((total, byte) => total + byte, 0);
	return (sum % 256).toString(16).padStart(2, '0');
}

const packetOf = (text: string) => `$${text}#${sumOf(text)}`;

const {signal} = new AbortController();
const bytes = '0f1f440000554889e5cc909090c3cc90';

/** Memory in which nothing but these addresses can be read. */
function memory(readable: readonly string[], written = 'OK') {
	return (command: string) => {
		if (command.startsWith('m')) return readable.includes(command.slice(1).split(',')[0]!) ? bytes : 'E14';
		return command.startsWith('M') ? written : 'OK';
	};
}

test('what is at each address is written back as it is, then the guest goes on', async t => {
	const stub = await openStub(t, memory(['ffffffff81000010', 'ffffffffc0000000']));
	await retranslate(stub.file, ['0xffffffff81000010', '0xffffffffc0000000'], {signal});
	t.deepEqual(stub.commands, [
		'mffffffff81000010,10',
		`Mffffffff81000010,10:${bytes}`,
		'mffffffffc0000000,10',
		`Mffffffffc0000000,10:${bytes}`,
		'D',
	]);
	await stub.left;
});

test('an address at which nothing can be read is left alone', async t => {
	const stub = await openStub(t, memory(['20']));
	await retranslate(stub.file, ['0x10', '0x20'], {signal});
	t.deepEqual(stub.commands, ['m10,10', 'm20,10', `M20,10:${bytes}`, 'D']);
});

test('a stub that refuses to write is an error, and the guest goes on', async t => {
	const stub = await openStub(t, memory(['10', '20'], 'E22'));
	const words = "QEMU's gdb stub refused to write at 0x10: E22";
	await t.throwsAsync(retranslate(stub.file, ['0x10', '0x20'], {signal}), {instanceOf: GuestError, message: words});
	t.deepEqual(stub.commands, ['m10,10', `M10,10:${bytes}`, 'D']);
});

test('a QEMU that ends meanwhile, or is not there, is a lost link', async t => {
	const stub = await openStub(t, () => hangUp);
	await t.throwsAsync(retranslate(stub.file, ['0x10'], {signal}), {instanceOf: LinkLostError});
	await t.throwsAsync(retranslate(`${stub.file}-not`, ['0x10'], {signal}), {instanceOf: LinkLostError});
});

test('an abort ends the visit of a stub that does not answer', async t => {
	const ending = new AbortController();
	const stub = await openStub(t, () => {
		ending.abort();
		return nothing;
	});
	await t.throwsAsync(retranslate(stub.file, ['0x10'], {signal: ending.signal}), {instanceOf: LinkLostError});
	await stub.left;
});

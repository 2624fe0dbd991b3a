// SPDX-License-Identifier: GPL-2.0
import {mkdtempDisposable} from 'node:fs/promises';
import net from 'node:net';
import {tmpdir} from 'node:os';
import path from 'node:path';
import test from 'ava';
import {traceCall} from './gdb-stub.ts';

type State = {readonly ip: number; readonly sp: number};

/** A stub of a guest that passes these states, the first of them at a breakpoint. `caller` is on its stack everywhere. */
function serve(socketPath: string, states: readonly State[], caller: number): {server: net.Server; asked: string[]} {
	const asked: string[] = [];
	let at = -1;
	const word = (value: number) => {
		const bytes = Buffer.alloc(8);
		bytes.writeBigUInt64LE(BigInt(value));
		return bytes.toString('hex');
	};
	const answerTo = (command: string): string => {
		if (command === 'c' || command === 's') {
			at++;
			return 'T05thread:01;';
		}
		if (command === 'p7') return word(states[at]!.sp);
		if (command === 'p10') return word(states[at]!.ip);
		return command.startsWith('m') ? word(caller) : 'OK';
	};
	const server = net.createServer(socket => {
		socket.on('error', () => {});
		socket.on('data', data => {
			for (const [, command] of data.toString('latin1').matchAll(/\$([^#]*)#[0-9a-f]{2}/g)) {
				asked.push(command!);
				socket.write(`+$${answerTo(command!)}#00`);
			}
		});
	});
	server.listen(socketPath);
	return {server, asked};
}

test('a traced call ends where it returns, not where a call inside of it returns to the same place', async t => {
	await using directory = await mkdtempDisposable(path.join(tmpdir(), 'gdb-stub-'));
	const socketPath = path.join(directory.path, 'gdb');
	const states = [
		{ip: 0x100, sp: 0x8000},
		{ip: 0x104, sp: 0x7ff0},
		{ip: 0x500, sp: 0x7ff8},
		{ip: 0x108, sp: 0x8000},
		{ip: 0x500, sp: 0x8008},
	];
	const {server, asked} = serve(socketPath, states, 0x500);
	t.teardown(() => server.close());
	const passed = await traceCall(socketPath, '0x100', {signal: AbortSignal.timeout(5000)});
	t.deepEqual(passed, [0x100n, 0x104n, 0x500n, 0x108n]);
	// A breakpoint that stayed would stop the guest at the next call, for ever.
	t.true(asked.includes('Z1,100,1'));
	t.true(asked.includes('z1,100,1'));
	t.is(asked.at(-1), 'D');
});

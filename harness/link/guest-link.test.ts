// SPDX-License-Identifier: GPL-2.0
import type {Socket} from 'node:net';
import {setTimeout as sleep} from 'node:timers/promises';
import test from 'ava';
import type {Connection} from 'ssh2';
import {CommandFailedError, LinkLostError} from '../host/errors.ts';
import {FakeSshServer, finish} from '../test/fake-ssh-server.ts';
import {createRunKeys} from './keys.ts';

test('exec returns stdout and stderr', async t => {
	await using guest = await FakeSshServer.start((_, channel) => {
		channel.write('out');
		channel.stderr.write('err');
		finish(channel, 0);
	});
	await using link = await guest.link();
	t.deepEqual(await link.exec('true'), {stdout: 'out', stderr: 'err'});
});

test('a command that fails is reported with exit code and stderr', async t => {
	await using guest = await FakeSshServer.start((_, channel) => {
		channel.stderr.write('no such file');
		finish(channel, 3);
	});
	await using link = await guest.link();
	const error = await t.throwsAsync(link.exec('cat it'), {instanceOf: CommandFailedError});
	t.is(error.code, 3);
	t.regex(error.message, /cat it.*3.*no such file/);
});

test('a command that is killed is reported with the signal', async t => {
	await using guest = await FakeSshServer.start((_, channel) => {
		channel.exit('SEGV', false, '');
		channel.end();
	});
	await using link = await guest.link();
	const error = await t.throwsAsync(link.exec('crash'), {instanceOf: CommandFailedError});
	t.is(error.signal, 'SEGV');
});

test('a channel that closes without an exit status is not a success', async t => {
	await using guest = await FakeSshServer.start((_, channel) => {
		channel.write('half of it');
		channel.close();
	});
	await using link = await guest.link();
	await t.throwsAsync(link.exec('true'), {instanceOf: LinkLostError});
});

for (const [end, die] of Object.entries({
	fin: (connection: Connection) => connection.end(),
	// The socket belongs to ssh2; there is no other way to reset it.
	reset: (connection: Connection) => (connection as unknown as {_sock: Socket})._sock.resetAndDestroy(),
})) {
	test(`a guest that dies by ${end} ends every pending and every later command`, async t => {
		await using guest = await FakeSshServer.start((command, _, connection) => {
			if (command.includes('sleep')) setImmediate(() => die(connection));
		});
		await using link = await guest.link();
		const waiting = [link.exec('sleep 100'), link.exec('another')];
		for (const each of waiting) await t.throwsAsync(each, {instanceOf: LinkLostError});
		await t.throwsAsync(link.exec('later'), {instanceOf: LinkLostError});
		t.true(link.lost.aborted);
	});
}

test('a guest with another host key is rejected', async t => {
	await using guest = await FakeSshServer.start((_, channel) => finish(channel, 0));
	const {host} = createRunKeys();
	const open = async () => {
		await using _ = await guest.link({...guest.keys, host});
	};
	await t.throwsAsync(open, {instanceOf: LinkLostError});
});

test('commands run one at a time, in order', async t => {
	const seen: string[] = [];
	let running = 0;
	await using guest = await FakeSshServer.start((command, channel) => {
		running += 1;
		t.is(running, 1);
		seen.push(command);
		setImmediate(() => {
			running -= 1;
			finish(channel, 0);
		});
	});
	await using link = await guest.link();
	await Promise.all(['one', 'two', 'three'].map(name => link.exec(name)));
	t.deepEqual(
		seen.map(command => /one|two|three/.exec(command)?.[0]),
		['one', 'two', 'three'],
	);
});

test('an aborted command is killed, and the link stays usable', async t => {
	await using guest = await FakeSshServer.start((command, channel) => {
		if (command.includes('quick')) finish(channel, 0);
		// ssh2 reports signals to the session, not to the channel; a command that ends soon stands for a killed one.
		else setTimeout(() => finish(channel, 1), 300);
	});
	await using link = await guest.link();
	await t.throwsAsync(link.exec('slow', {signal: AbortSignal.timeout(50)}), {name: 'TimeoutError'});
	await t.notThrowsAsync(link.exec('quick'));
	// Also after the time that a killed command has to end.
	await sleep(2200);
	t.false(link.lost.aborted);
	await t.notThrowsAsync(link.exec('quick'));
});

test('a command that does not end when it is told to ends the link', async t => {
	await using guest = await FakeSshServer.start(() => {});
	await using link = await guest.link();
	await t.throwsAsync(link.exec('slow', {signal: AbortSignal.timeout(50)}), {name: 'TimeoutError'});
	t.regex(String(link.lost.reason), /a command did not end when told to/);
});

// SPDX-License-Identifier: GPL-2.0
import {once} from 'node:events';
import {PassThrough} from 'node:stream';
import test from 'ava';
import type {CommandChannel, CommandEnd} from '../link/running-command.ts';
import {streamCommand} from './stream-command.ts';

/** A command whose end comes, as with ssh2, when both of its streams were read. */
function fakeCommand() {
	const signals: string[] = [];
	const stderr = new PassThrough();
	const channel = Object.assign(new PassThrough({allowHalfOpen: true}), {
		stderr,
		signal: (name: string) => void signals.push(name),
		setWindow() {},
	}) satisfies CommandChannel;
	const ended = Promise.all([once(channel, 'end'), once(stderr, 'end')]).then((): CommandEnd => ({code: 0}));
	return {channel, stderr, signals, guest: {start: async () => ({channel, ended})}};
}

test('a command that writes much to both streams ends, although nobody asked for what it writes', async t => {
	const {channel, stderr, guest} = fakeCommand();
	const running = streamCommand(guest, 'make noise', {});
	for (const stream of [channel, stderr]) {
		for (let n = 0; n < 64; n++) stream.write(Buffer.alloc(1 << 14));
		stream.end();
	}
	t.deepEqual(await running, {code: 0});
});

test('each stream goes to its own reader', async t => {
	const {channel, stderr, guest} = fakeCommand();
	const seen: string[] = [];
	const running = streamCommand(guest, 'speak', {
		onStdout: chunk => seen.push(`out ${chunk.toString()}`),
		onStderr: chunk => seen.push(`err ${chunk.toString()}`),
	});
	channel.end('a');
	stderr.end('b');
	await running;
	t.deepEqual(seen.toSorted(), ['err b', 'out a']);
});

test('an abort kills the command', async t => {
	const {channel, stderr, signals, guest} = fakeCommand();
	const abort = new AbortController();
	const running = streamCommand(guest, 'sleep', {signal: abort.signal});
	await Promise.resolve();
	await Promise.resolve();
	abort.abort();
	channel.end();
	stderr.end();
	await running;
	t.deepEqual(signals, ['KILL']);
});

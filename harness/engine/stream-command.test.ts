// SPDX-License-Identifier: GPL-2.0
import {PassThrough, Readable} from 'node:stream';
import test from 'ava';
import {type CommandChannel, type CommandEnd, withoutInput} from '../link/running-command.ts';
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
	const ends = [channel, stderr].map(stream => new Promise(resolve => stream.once('end', resolve)));
	const ended = Promise.all(ends).then((): CommandEnd => ({code: 0}));
	const commands: string[] = [];
	const start = async (command: string) => {
		commands.push(command);
		return {channel, ended};
	};
	return {channel, stderr, signals, commands, guest: {start}};
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

test('a command without input reads nothing; with input, it reads that and then its end', async t => {
	const silent = fakeCommand();
	silent.channel.end();
	silent.stderr.end();
	await streamCommand(silent.guest, 'cat', {});
	t.deepEqual(silent.commands, [withoutInput('cat')]);
	for (const stdin of [Buffer.from('words'), Readable.from(['wo', 'rds'])]) {
		const {channel, stderr, commands, guest} = fakeCommand();
		stderr.end();
		const seen: Buffer[] = [];
		// What is written to this channel is read from it.
		const onStdout = (chunk: Buffer) => void seen.push(chunk);
		t.deepEqual(await streamCommand(guest, 'cat', {stdin, onStdout}), {code: 0});
		t.is(Buffer.concat(seen).toString(), 'words');
		t.deepEqual(commands, ['cat']);
		t.true(channel.writableEnded);
	}
});

for (const [what, fail] of [
	['ends', () => {}],
	['closes its input and ends', (channel: PassThrough) => void channel.emit('error', new Error('EPIPE'))],
] as const)
	test(`a command that ${what} without reading all of it ends well, and the rest is not for it`, async t => {
		const {channel, stderr, guest} = fakeCommand();
		const stdin = new PassThrough();
		const input: Buffer[] = [];
		channel.write = ((chunk: Buffer) => {
			input.push(chunk);
			return true;
		}) as typeof channel.write;
		const running = streamCommand(guest, 'true', {stdin});
		stdin.write('first');
		await new Promise(setImmediate);
		fail(channel);
		channel.push(null);
		stderr.end();
		t.deepEqual(await running, {code: 0});
		stdin.write('second');
		await new Promise(setImmediate);
		t.is(Buffer.concat(input).toString(), 'first');
	});

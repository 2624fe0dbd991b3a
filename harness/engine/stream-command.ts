// SPDX-License-Identifier: GPL-2.0
import {Readable} from 'node:stream';
import type {Guest} from '../guest/guest.ts';
import {onAbort} from '../host/abort.ts';
import {type CommandEnd, withoutInput} from '../link/running-command.ts';
import type {Streams} from './case.ts';

/**
 * Runs a command in the guest and passes its streams on. When `signal` aborts, the command is killed. Throws
 * LinkLostError when its end is unknown.
 */
export async function streamCommand(
	guest: Pick<Guest, 'start'>,
	command: string,
	{onStdout, onStderr, stdin, signal}: Streams & {readonly signal?: AbortSignal},
): Promise<CommandEnd> {
	const {channel, ended} = await guest.start(stdin === undefined ? withoutInput(command) : command);
	using _ = onAbort(signal, () => channel.signal('KILL'));
	channel.on('data', (chunk: Buffer) => onStdout?.(chunk));
	channel.stderr.on('data', (chunk: Buffer) => onStderr?.(chunk));
	const input = Buffer.isBuffer(stdin) ? Readable.from([stdin], {objectMode: false}) : stdin;
	// The command may end without having read everything.
	channel.on('error', () => {});
	input?.pipe(channel);
	try {
		return await ended;
	} finally {
		input?.unpipe(channel);
	}
}

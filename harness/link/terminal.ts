// SPDX-License-Identifier: GPL-2.0
import {onAbort} from '../host/abort.ts';
import {LinkLostError} from '../host/errors.ts';
import type {GuestLink} from './guest-link.ts';

/** Connects the terminal to a command in the guest. Resolves with its exit code. */
export async function attachTerminal(
	link: GuestLink,
	command: string,
	{signal}: {signal?: AbortSignal} = {},
): Promise<number> {
	const {stdin, stdout} = process;
	const isTerminal = stdin.isTTY === true && stdout.isTTY === true;
	const size = {rows: stdout.rows ?? 24, cols: stdout.columns ?? 80, term: process.env.TERM ?? 'dumb'};
	const {channel, ended} = await link.start(command, isTerminal ? {pty: size} : {});
	const resize = () => channel.setWindow(stdout.rows, stdout.columns, 0, 0);
	using _ = onAbort(signal, () => channel.signal('HUP'));
	if (isTerminal) {
		stdin.setRawMode(true);
		stdout.on('resize', resize);
	}
	try {
		stdin.pipe(channel);
		channel.pipe(stdout, {end: false});
		channel.stderr.pipe(process.stderr, {end: false});
		const {code, signal: by} = await ended;
		if (code === undefined && by === undefined) throw new LinkLostError('The shell ended without a status.');
		return code ?? 128;
	} finally {
		stdin.unpipe(channel);
		// Otherwise the process would wait for another key.
		stdin.pause();
		stdin.unref?.();
		if (isTerminal) {
			stdin.setRawMode(false);
			stdout.off('resize', resize);
		}
	}
}

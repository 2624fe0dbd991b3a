// SPDX-License-Identifier: GPL-2.0
import assert from 'node:assert/strict';
import {type Case, defineCase, type Streams} from '../engine/case.ts';
import type {GuestFile} from '../guest/guest.ts';
import {quote} from '../host/quote.ts';
import type {CommandEnd} from '../link/running-command.ts';

/** Where the output of a command goes; `end` is called after the last of it. */
export type Output = Required<Pick<Streams, 'onStdout' | 'onStderr'>> & {end(): void};

type CommandOptions = {
	readonly files: readonly GuestFile[];
	readonly stdin: Streams['stdin'] | undefined;
	readonly output: Output;
	readonly deadlineMs: number;
	readonly onEnd: (end: CommandEnd) => void;
};

/** A case that runs one command in the guest, and passes if that ends with 0. */
export function commandCase(words: readonly string[], {files, stdin, output, deadlineMs, onEnd}: CommandOptions): Case {
	return defineCase({
		id: 'exec/command',
		deadlineMs,
		isAlone: true,
		async run({push, stream}) {
			if (files.length > 0) await push(...files);
			const {onStdout, onStderr} = output;
			const command = `cd /root && exec ${words.map(quote).join(' ')}`;
			try {
				const end = await stream(command, {onStdout, onStderr, ...(stdin && {stdin})});
				onEnd(end);
				const how = end.signal === undefined ? `ended with ${end.code}` : `was killed by SIG${end.signal}`;
				assert.equal(end.code, 0, `the command ${how}`);
			} finally {
				output.end();
			}
		},
	});
}

// SPDX-License-Identifier: GPL-2.0
import type {Duplex, Readable} from 'node:stream';

/** How a command ended: with a status, or by a signal (`KILL`). */
export type CommandEnd = {readonly code?: number; readonly signal?: string};

/** The streams of a command. Not those of ssh2 by name, so that the types of the package need no others. */
export type CommandChannel = Duplex & {
	readonly stderr: Readable;
	/** Sends a signal to the command. */
	signal(name: string): void;
	setWindow(rows: number, columns: number, height: number, width: number): void;
};

/**
 * A command that gets nothing on standard input. Its channel stays open: after the end of a channel, ssh2 silently drops
 * signals.
 */
export function withoutInput(command: string): string {
	return `{ ${command}\n} </dev/null`;
}

/** A command in the guest with its streams. `ended` rejects with LinkLostError when its end cannot be known. */
export type RunningCommand = {readonly channel: CommandChannel; readonly ended: Promise<CommandEnd>};

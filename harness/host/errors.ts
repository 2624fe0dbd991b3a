// SPDX-License-Identifier: GPL-2.0
import {getSystemErrorMessage} from 'node:util';

/** A problem that the user can fix: printed as one sentence, exit status 2. */
export class UsageError extends Error {
	override readonly name: string = 'UsageError';
}

/** The network or the server failed; the same request may work later. */
export class NetworkError extends UsageError {
	override readonly name = 'NetworkError';
}

/** The server has no such file. */
export class NotFoundError extends UsageError {
	override readonly name = 'NotFoundError';
}

/** The project's own sources do not compile; the message holds the compiler's output. */
export class BuildError extends Error {
	override readonly name = 'BuildError';
}

/** A failure between the harness and a guest. */
export class GuestError extends Error {
	override readonly name: string = 'GuestError';
}

/** The guest did not become ready; the message ends with its last console output. */
export class BootError extends GuestError {
	override readonly name: string = 'BootError';
	/** The message without console output. */
	readonly reason: string;
	/** The last console output, if known. */
	readonly console: string | undefined;

	constructor(
		message: string,
		{reason = message, console, ...options}: ErrorOptions & {reason?: string; console?: string} = {},
	) {
		super(message, options);
		this.reason = reason;
		this.console = console;
	}
}

/** A kernel's first guest did not boot: another attempt would end in the same way. */
export class NeverBootedError extends BootError {
	override readonly name = 'NeverBootedError';

	constructor({message, reason, console, cause}: BootError) {
		super(message, {reason, cause, ...(console !== undefined && {console})});
	}
}

/** A module under test does not load into a healthy guest; the message holds the kernel's output. */
export class LoadError extends GuestError {
	override readonly name = 'LoadError';
}

/** The connection ended before the answer: it is unknown whether the request was carried out. */
export class LinkLostError extends GuestError {
	override readonly name = 'LinkLostError';
}

/** The command ran in the guest and failed. */
export class CommandFailedError extends GuestError {
	override readonly name = 'CommandFailedError';
	readonly code: number | undefined;
	readonly signal: string | undefined;
	readonly stderr: string;

	constructor(command: string, end: {code?: number | undefined; signal?: string | undefined; stderr: string}) {
		const how = end.signal ? `was killed by SIG${end.signal}` : `ended with ${end.code}`;
		super(`\`${command}\` ${how} in the guest${end.stderr ? `: ${end.stderr.trim()}` : '.'}`);
		this.code = end.code;
		this.signal = end.signal;
		this.stderr = end.stderr;
	}
}

/** The agent carried out a request, which failed with `errno`, a name such as EINVAL. */
export class AgentError extends GuestError {
	override readonly name = 'AgentError';
	readonly errno: string;

	constructor(op: string, {errno, message}: {errno: string; message: string}) {
		super(`${op}: ${message} (${errno})`);
		this.errno = errno;
	}
}

/** The `code` of a Node error, `undefined` for anything else. */
export function errorCode(error: unknown): string | undefined {
	return error instanceof Error && 'code' in error && typeof error.code === 'string' ? error.code : undefined;
}

/** The message of anything thrown. For a file system error it is `PATH: REASON`, without the prefix that libuv adds. */
export function messageOf(error: unknown): string {
	if (!(error instanceof Error)) return String(error);
	const {errno, path, syscall} = error as NodeJS.ErrnoException;
	if (typeof errno !== 'number' || syscall === undefined) return error.message;
	const reason = getSystemErrorMessage(errno);
	return path === undefined ? reason : `${path}: ${reason}`;
}

/** The message for ENOSPC in English; programs run with LC_ALL=C. */
export const fullDisk = 'No space left on device';

/** The error for a full disk; `where` is a path on that disk. */
export function diskFull(where: string, cause: unknown): UsageError {
	return new UsageError(`There is no space left on the disk that holds ${where}.`, {cause});
}

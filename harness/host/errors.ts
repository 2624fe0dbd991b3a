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

/** Our own sources did not compile; the message holds the compiler's words. */
export class BuildError extends Error {
	override readonly name = 'BuildError';
}

/** Anything that goes wrong between us and a guest. */
export class GuestError extends Error {
	override readonly name: string = 'GuestError';
}

/** The guest never became ready; the message ends with what it said last. */
export class BootError extends GuestError {
	override readonly name: string = 'BootError';
	/** The message without what the guest said. */
	readonly reason: string;
	/** What it said last, where that is known. */
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

/** A kernel's first guest did not come up: another try would end in the same way. */
export class NeverBootedError extends BootError {
	override readonly name = 'NeverBootedError';

	constructor({message, reason, console, cause}: BootError) {
		super(message, {reason, cause, ...(console !== undefined && {console})});
	}
}

/** What is tested does not load into a guest that is well; the message holds the kernel's words. */
export class LoadError extends GuestError {
	override readonly name = 'LoadError';
}

/** The connection ended before the answer: whether the request was carried out is unknown. */
export class LinkLostError extends GuestError {
	override readonly name = 'LinkLostError';
}

/** The command ran in the guest and failed. */
export class CommandFailedError extends GuestError {
	override readonly name = 'CommandFailedError';
	readonly code: number | undefined;
	readonly signal: string | undefined;
	readonly stderr: string;

	constructor(command: string, end: {code?: number; signal?: string; stderr: string}) {
		const how = end.signal ? `was killed by SIG${end.signal}` : `ended with ${end.code}`;
		super(`\`${command}\` ${how} in the guest${end.stderr ? `: ${end.stderr.trim()}` : '.'}`);
		this.code = end.code;
		this.signal = end.signal;
		this.stderr = end.stderr;
	}
}

/** The agent carried out a request and it failed with `errno`, a name such as EINVAL. */
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

/** The message of anything thrown; for an error of the file system `PATH: REASON`, without libuv's own words. */
export function messageOf(error: unknown): string {
	if (!(error instanceof Error)) return String(error);
	const {errno, path, syscall} = error as NodeJS.ErrnoException;
	if (typeof errno !== 'number' || syscall === undefined) return error.message;
	const reason = getSystemErrorMessage(errno);
	return path === undefined ? reason : `${path}: ${reason}`;
}

/** The message of ENOSPC, as programs print it in English. */
export const fullDisk = 'No space left on device';

/** The error for a full disk; `where` is a path on it. */
export function diskFull(where: string, cause: unknown): UsageError {
	return new UsageError(`There is no space left on the disk that holds ${where}.`, {cause});
}

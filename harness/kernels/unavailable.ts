import {UsageError} from '../host/errors.ts';

/** A kernel that is known but cannot be had here and now. */
export class KernelUnavailableError extends UsageError {
	override readonly name = 'KernelUnavailableError';
	readonly kernel: string;
	/** A sentence. */
	readonly reason: string;
	/** What a person can do about it; a sentence. */
	readonly advice: string;

	constructor(kernel: string, {reason, advice, cause}: {reason: string; advice: string; cause?: unknown}) {
		super(`${kernel}: unavailable: ${reason} ${advice}`, {cause});
		this.kernel = kernel;
		this.reason = reason;
		this.advice = advice;
	}
}

// SPDX-License-Identifier: GPL-2.0
import {UsageError} from '../host/errors.ts';

/** A known kernel that cannot be obtained here and now. */
export class KernelUnavailableError extends UsageError {
	override readonly name = 'KernelUnavailableError';
	readonly kernel: string;
	/** A full sentence. */
	readonly reason: string;
	/** What the user can do about it; a full sentence. */
	readonly advice: string;

	constructor(kernel: string, {reason, advice, cause}: {reason: string; advice: string; cause?: unknown}) {
		super(`${kernel}: unavailable: ${reason} ${advice}`, {cause});
		this.kernel = kernel;
		this.reason = reason;
		this.advice = advice;
	}
}

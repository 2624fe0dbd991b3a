import {BootError, messageOf} from '../host/errors.ts';
import type {KernelEvent} from '../results/run/events.ts';

/** What an event tells of a kernel that cannot be used: why, and what its guest said last. */
export function failureOf(
	kernel: string,
	{error, notRun}: {error: unknown; notRun: number},
): KernelEvent & {readonly state: 'failed'} {
	const isBoot = error instanceof BootError;
	return {
		type: 'kernel',
		kernel,
		state: 'failed',
		reason: isBoot ? error.reason : messageOf(error),
		...(isBoot && error.console !== undefined && {console: error.console}),
		notRun,
	};
}

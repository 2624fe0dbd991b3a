// SPDX-License-Identifier: GPL-2.0
import {BootError, messageOf} from '../host/errors.ts';
import type {KernelEvent} from '../results/run/events.ts';

/** The event of a kernel that cannot be used, with the reason and, after a failed boot, the console. */
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

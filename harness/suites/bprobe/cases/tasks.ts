// SPDX-License-Identifier: GPL-2.0
import {assert} from '../assert.ts';
import type {CaseContext} from '../case.ts';

/** Waits until exactly `tasks` tasks are inside FX_WAIT, at most until the case's deadline. */
export async function waitUntilWaiting(context: CaseContext, tasks: number): Promise<void> {
	while ((await context.ask('counts', {})).waiting !== tasks) context.signal.throwIfAborted();
}

/** The number of calls whose return address is replaced now, from the module's listing. */
export async function framesInFlight(context: CaseContext): Promise<number> {
	const {text} = await context.ask('listing', {});
	const match = /^frames (\d+) of \d+$/m.exec(text);
	assert.ok(match, `the listing must have a line of frames: ${text}`);
	return Number(match[1]);
}

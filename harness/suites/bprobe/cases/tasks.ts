import assert from 'node:assert/strict';
import type {CaseContext} from '../../../engine/case.ts';

/** Resolves when so many tasks are inside FX_WAIT; the case's deadline bounds it. */
export async function waitUntilWaiting(context: CaseContext, tasks: number): Promise<void> {
	while ((await context.ask('counts', {})).waiting !== tasks) context.signal.throwIfAborted();
}

/** Calls whose return address is replaced now, as the module's listing says. */
export async function framesInFlight(context: CaseContext): Promise<number> {
	const {text} = await context.ask('listing', {});
	const match = /^frames (\d+) of \d+$/m.exec(text);
	assert.ok(match, `the listing has no line of frames: ${text}`);
	return Number(match[1]);
}

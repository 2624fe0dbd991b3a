// SPDX-License-Identifier: GPL-2.0
import {assert} from '../assert.ts';
import type {CaseContext} from '../case.ts';
import {onlyHits} from './registers.ts';
import {framesInFlight} from './tasks.ts';

/** How often the modules are in use. */
async function referencesOf(context: CaseContext): Promise<string> {
	// The agent opens the fixtures with its first request and keeps them open, which adds a reference.
	await context.ask('counts', {});
	return (await context.exec('cat /sys/module/bprobe/refcnt /sys/module/fixtures/refcnt')).stdout;
}

/** Runs `work` with a program that counts. Afterwards the module has no probes, the same references as before, and works. */
export async function leavesUnharmed(context: CaseContext, work: (prog: number) => Promise<void>): Promise<void> {
	const prog = await context.load('count');
	const references = await referencesOf(context);
	await work(prog);
	await isUnharmed(context, prog, references);
}

async function isUnharmed(context: CaseContext, prog: number, references: string): Promise<void> {
	assert.doesNotMatch((await context.ask('listing', {})).text, /^(entry|return) /m, 'probes left in the listing');
	assert.equal(await referencesOf(context), references, 'references of modules, as before');
	const probe = await context.attach({point: 'return', program: prog});
	await context.call();
	onlyHits(await probe.info(), 1);
	assert.equal(await framesInFlight(context), 0, 'frames in flight');
}

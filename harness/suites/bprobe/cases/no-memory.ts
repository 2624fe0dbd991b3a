import assert from 'node:assert/strict';
import {type CaseContext, defineCase} from '../../../engine/case.ts';
import type {AgentOps} from '../../../link/agent-protocol.ts';
import {onlyHits} from './registers.ts';
import {framesInFlight} from './tasks.ts';

type Attempt = AgentOps['failing']['in'];

/** Lets each allocation fail in turn; how many of those made it fail, and how many the kernel could do without. */
async function failEach(context: CaseContext, attempt: Attempt): Promise<{failed: number; passed: number}> {
	const {ends} = await context.ask('failing', attempt);
	assert.equal(ends.at(-1), '', 'without a failure, after all those');
	const failed = ends.filter(end => end === 'ENOMEM').length;
	assert.deepEqual(
		ends.filter(end => end !== 'ENOMEM' && end !== ''),
		[],
	);
	const counts = {failed, passed: ends.length - 1 - failed};
	context.evidence('allocations', counts);
	return counts;
}

async function referencesOf(context: CaseContext): Promise<string> {
	// The agent opens the fixtures with its first request, and keeps them.
	await context.ask('counts', {});
	return (await context.exec('cat /sys/module/bprobe/refcnt /sys/module/fixtures/refcnt')).stdout;
}

/** As it was before, and works. */
async function isUnharmed(context: CaseContext, prog: number, references: string): Promise<void> {
	assert.doesNotMatch((await context.ask('listing', {})).text, /^(entry|return) /m);
	assert.equal(await referencesOf(context), references);
	const probe = await context.attach({point: 'return', program: prog});
	await context.call();
	onlyHits(await probe.info(), 1);
	assert.equal(await framesInFlight(context), 0);
}

export const noMemoryCases = [
	defineCase({
		id: 'module/no-memory-to-attach',
		needs: ['device'],
		targets: ['asm', 'asm-fentry'],
		deadlineMs: 60_000,
		async run(context) {
			const prog = await context.load('count');
			const references = await referencesOf(context);
			const address = await context.address(context.target === 'asm' ? 'fx_asm' : 'fx_asm_fentry');
			const {failed} = await failEach(context, {what: 'attach', prog, point: 'return', address});
			// The probe, its counts, its place among the probes of its site, and the kernel's for a descriptor.
			assert.ok(failed >= 4);
			await isUnharmed(context, prog, references);
		},
	}),
	defineCase({
		id: 'module/no-memory-to-attach-many',
		needs: ['device'],
		deadlineMs: 120_000,
		async run(context) {
			const prog = await context.load('count');
			const references = await referencesOf(context);
			const names = Array.from({length: 40}, (_, n) => `fx_many_${String(n).padStart(3, '0')}`);
			const {addresses} = await context.ask('symbols', {names});
			const functions = [...names.map(name => addresses[name]![0]!), await context.address('fx_asm')];
			const {failed} = await failEach(context, {what: 'attach', prog, point: 'return', addresses: functions});
			// The place of each among the probes of its site, and what they have together.
			assert.ok(failed >= functions.length + 4);
			await isUnharmed(context, prog, references);
		},
	}),
	defineCase({
		id: 'module/no-memory-to-load',
		needs: ['device'],
		deadlineMs: 60_000,
		async run(context) {
			const prog = await context.load('count');
			const references = await referencesOf(context);
			await context.ask('rmmod', {module: 'bprobe'});
			try {
				const {failed, passed} = await failEach(context, {what: 'insmod'});
				// Frames and the list of the free ones, tasks, what runs programs.
				assert.ok(failed >= 5);
				assert.equal(passed, 0, 'loaded without what it asked for');
			} finally {
				await context.ask('insmod', {module: 'bprobe'});
			}
			await isUnharmed(context, prog, references);
		},
	}),
];

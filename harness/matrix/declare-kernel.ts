import test from 'ava';
import {buildPayload} from '../build/payload.ts';
import {obtainKernel} from '../kernels/obtain.ts';
import {bprobe} from '../mechanisms/bprobe.ts';
import {cellTitle} from '../results/events.ts';
import {formatFailure} from '../results/failure.ts';
import {allCases} from './cases/all.ts';
import {openConsoles} from './consoles.ts';
import type {Guest} from './guest.ts';
import {guestSource} from './guest-source.ts';
import {Lane} from './lane.ts';
import {type Cell, planCells} from './plan.ts';
import {cellEvent} from './run-matrix.ts';

/** Declares a test for each cell of a kernel's matrix, all in one guest; for a file of its own, as guests go by file. */
export function declareKernel(id: string): void {
	const interrupt = new AbortController();
	const {signal} = interrupt;
	const lane = new Lane({bootGuest: preparedKernel(id, signal), isolation: 'reuse', signal});
	test.after.always('the guest ends', async () => {
		interrupt.abort();
		await lane[Symbol.asyncDispose]();
	});
	for (const cell of planCells({kernels: [id], mechanisms: [bprobe], cases: allCases})) {
		test.serial(cellMacro, lane, cell);
	}
}

const cellMacro = test.macro<[lane: Lane, cell: Cell]>({
	async exec(t, lane, cell) {
		// The first one builds and boots; each case has its own deadline.
		t.timeout(20 * 60_000);
		const outcome = await lane.run(cell);
		if (outcome.verdict === 'pass') {
			t.pass();
			return;
		}
		if (outcome.verdict === 'skip') {
			t.log(`skipped: ${outcome.message}`);
			t.pass();
			return;
		}
		t.log(formatFailure(cellEvent(cell, outcome)));
		throw outcome.error instanceof Error ? outcome.error : new Error(outcome.message);
	},
	title: (_title, _lane, cell) => `${cell.kernel} › ${cellTitle(cell)}`,
});

/** Guests of a kernel; what they need is built once, at the first. */
function preparedKernel(id: string, signal: AbortSignal): () => Promise<Guest> {
	const prepare = async () => {
		const payload = await buildPayload(await obtainKernel(id, {signal}), {signal});
		const {consolePath} = await openConsoles();
		return guestSource(payload, {isolation: 'reuse', signal, consolePath: () => consolePath(id)});
	};
	let prepared: ReturnType<typeof prepare> | undefined;
	return async () => {
		prepared ??= prepare();
		return (await prepared)();
	};
}

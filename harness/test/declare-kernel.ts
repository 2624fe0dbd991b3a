// SPDX-License-Identifier: GPL-2.0
import path from 'node:path';
import test from 'ava';
import type {KernelFacts} from '../engine/case.ts';
import {openConsoles} from '../engine/consoles.ts';
import {type Cell, planCells} from '../engine/plan.ts';
import {prepareKernel} from '../engine/prepare-kernels.ts';
import {whyNot} from '../engine/run-cell.ts';
import {cellEvent} from '../engine/run-matrix.ts';
import {type FinishedCell, Worker} from '../engine/worker.ts';
import {obtainBootableKernel} from '../guest/bootable-kernel.ts';
import type {Guest} from '../guest/guest.ts';
import {guestPool} from '../guest/guest-pool.ts';
import {findAccelerator} from '../host/accelerator.ts';
import {BootError} from '../host/errors.ts';
import {findQemu} from '../host/qemu.ts';
import {builtInOptions} from '../kernels/built-in.ts';
import {fallbackKernel} from '../kernels/default-kernels.ts';
import type {Kernel} from '../kernels/kernel.ts';
import {KernelUnavailableError} from '../kernels/unavailable.ts';
import {cellTitle} from '../results/run/cell-name.ts';
import {formatFailure} from '../results/run/failure.ts';
import {allCases} from '../suites/bprobe/cases/all.ts';
import {bprobeSuite} from '../suites/bprobe/suite.ts';
import {testedKernels} from './tested-kernels.ts';

/**
 * Declares a test for each cell of a kernel's matrix, all in one guest; those that do not apply are skipped, with the
 * reason in the title. Call it once per test file. If the kernel is
 * unavailable, the only test is that another tested kernel is available.
 */
export async function declareKernel(id: string): Promise<void> {
	const interrupt = new AbortController();
	const {signal} = interrupt;
	let facts: KernelFacts;
	try {
		facts = await factsOf(await obtainBootableKernel(id, {signal}));
	} catch (error) {
		if (!(error instanceof KernelUnavailableError)) throw error;
		test(`${id} is unavailable, but another kernel is available`, async t => {
			t.log(error.message);
			const others = testedKernels.filter(other => other !== id);
			await t.notThrowsAsync(Promise.any(others.map(other => obtainBootableKernel(other, {signal}))));
		});
		return;
	}
	const late: FinishedCell[] = [];
	const worker = new Worker({
		bootGuest: preparedKernel(id, signal),
		isolation: 'reuse',
		signal,
		onFinished: each => {
			if (each.isLate) late.push(each);
		},
	});
	test.serial.after('no test caused a kernel report after its end', async t => {
		await worker.settle();
		t.deepEqual(
			late.map(({cell, outcome}) => `${cellTitle(cell)}: ${outcome.message}`),
			[],
		);
	});
	test.after.always('end the guest', async () => {
		interrupt.abort();
		await worker[Symbol.asyncDispose]();
	});
	for (const cell of planCells({kernels: [id], suite: bprobeSuite, cases: allCases})) {
		const reason = whyNot(cell, facts) ?? whyNotInCi(cell);
		if (reason === undefined) test.serial(titleOf(cell), cellMacro, worker, cell);
		else test.serial.skip(`${titleOf(cell)}: ${reason}`, cellMacro, worker, cell);
	}
}

/** Cells that take seconds each, and in which kernels differ least. */
const slow = [
	'module/no-memory-for-what-a-load-calls',
	'module/no-memory-to-attach-many',
	'module/reload-20',
	'race/module-reload-storm',
	'race/unload-beside-tracers',
	'multi/two-hundred-functions',
	'multi/many-*',
	'miss/no-frame',
	'miss/places-of-the-dead',
	'miss/full-sets',
];

/** CI has half an hour; elsewhere all cells run on all kernels. */
function whyNotInCi({kernel, definition}: Cell): string | undefined {
	const isLeftOut =
		process.env.CI !== undefined &&
		kernel !== fallbackKernel &&
		slow.some(pattern => path.matchesGlob(definition.id, pattern));
	return isLeftOut ? `CI has time for it on ${fallbackKernel} only.` : undefined;
}

/** What a guest of the kernel will say of it. */
async function factsOf(kernel: Kernel): Promise<KernelFacts> {
	const options = await builtInOptions(kernel);
	return {release: kernel.release, hasOption: option => options.has(option)};
}

const titleOf = (cell: Cell) => `${cell.kernel} › ${cellTitle(cell)}`;

const cellMacro = test.macro<[worker: Worker, cell: Cell]>(async (t, worker, cell) => {
	// The first test builds and boots; each case has its own deadline.
	t.timeout(20 * 60_000);
	const outcome = await worker.run(cell);
	if (outcome.verdict === 'pass') {
		t.pass();
		return;
	}
	// AVA has to know of a skip before it runs anything.
	if (outcome.verdict === 'skip')
		throw new Error(`The case has to say in \`missing\` that it does not apply to this kernel: ${outcome.message}`);
	t.log(formatFailure(cellEvent(cell, outcome)));
	throw outcome.error instanceof Error ? outcome.error : new Error(outcome.message);
});

/** Returns a function that gives guests of a kernel. The first call builds what they need. */
function preparedKernel(id: string, signal: AbortSignal): () => Promise<Guest> {
	const prepare = async () => {
		const guestBuild = await prepareKernel(id, {content: bprobeSuite.content, signal});
		const {consolePath} = await openConsoles();
		const {name: accelerator} = await findAccelerator(await findQemu({signal}), {signal});
		return guestPool(guestBuild, {isolation: 'reuse', accelerator, signal, consolePath: () => consolePath(id)});
	};
	let prepared: ReturnType<typeof prepare> | undefined;
	let hasFailed = false;
	return async () => {
		// Do not repeat the same failure for two hundred tests.
		if (hasFailed) throw new BootError(`${id} cannot be used; the first test that failed has the reason.`);
		prepared ??= prepare();
		try {
			return await (await prepared)();
		} catch (error) {
			hasFailed = true;
			throw error;
		}
	};
}

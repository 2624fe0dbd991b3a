// SPDX-License-Identifier: GPL-2.0
import {type Cell, planCells} from '../../../engine/plan.ts';
import type {CellOutcome} from '../../../engine/run-cell.ts';
import {type FinishedCell, Worker} from '../../../engine/worker.ts';
import type {Guest} from '../../../guest/guest.ts';
import type {Verdict} from '../../../results/run/verdict.ts';
import {type CaseContext, defineCase} from '../case.ts';
import {bprobeSuite} from '../suite.ts';
import type {Fault} from './faults.ts';

export type FaultResult = {
	readonly kernel: string;
	readonly fault: string;
	readonly verdict: Verdict;
	/** First line of the message. */
	readonly title: string;
	/** Time from the trigger to the verdict, in ms. */
	readonly ms: number;
	readonly goalMs: number;
	/** What differs from the expectation; empty if nothing does. */
	readonly wrong: readonly string[];
	readonly outcome: CellOutcome;
};

export type SelftestOptions = {
	readonly kernel: string;
	readonly faults: readonly Fault[];
	readonly bootGuest: () => Promise<Guest>;
	readonly onResult: (result: FaultResult) => void;
	readonly signal: AbortSignal;
};

/** Triggers every fault in a cell of its own, through the engine that runs the matrix, and compares the verdicts. */
export async function runSelftest(options: SelftestOptions): Promise<readonly FaultResult[]> {
	const {kernel, faults, signal} = options;
	const results: FaultResult[] = [];
	let guest: Guest | undefined;
	let late: FinishedCell | undefined;
	await using worker = new Worker({
		isolation: 'reuse',
		signal,
		bootGuest: async () => (guest = await options.bootGuest()),
		onFinished: each => {
			if (each.isLate) late = each;
		},
	});
	const passing = cellOf(kernel, 'pass', 5000, async () => {});
	for (const fault of faults) {
		let pulledAt = performance.now();
		late = undefined;
		const cell = cellOf(kernel, fault.name, deadlineOf(fault), async context => {
			const {options: any = []} = fault;
			if (any.length > 0 && !any.some(option => context.hasOption(option)))
				context.skip(`The kernel is built without ${any.join(' and ')}.`);
			pulledAt = performance.now();
			await fault.pull(context, guest!);
		});
		// In a guest of its own, no other cell can be the cause, so the verdict is not delayed by a rerun.
		let outcome = await worker.run(cell, {isFresh: true});
		let ms = performance.now() - pulledAt;
		const after = await worker.run(passing);
		if (fault.isLate) {
			await worker.settle();
			ms = performance.now() - pulledAt;
			outcome = charged(outcome, late, cell);
		}
		const wrong = outcome.verdict === 'skip' ? [] : compare(fault, outcome);
		if (after.verdict !== 'pass') wrong.push(`the next cell ended with ${after.verdict}: ${after.message}`);
		const title = outcome.message?.split('\n', 1)[0] ?? '';
		const result = {
			kernel,
			fault: fault.name,
			verdict: outcome.verdict,
			title,
			ms,
			goalMs: fault.goalMs,
			wrong,
			outcome,
		};
		results.push(result);
		options.onResult(result);
	}
	return results;
}

function cellOf(kernel: string, name: string, deadlineMs: number, run: (context: CaseContext) => Promise<void>): Cell {
	const definition = defineCase({id: `selftest/${name}`, needs: [], deadlineMs, run});
	return planCells({kernels: [kernel], suite: bprobeSuite, cases: [definition]})[0]!;
}

/**
 * Faults that the kernel itself must report need a later deadline than the report; the others wait for the deadline.
 */
function deadlineOf({name, goalMs}: Fault): number {
	return /^(?:silent|agent|sshd|qemu-stopped|every)/.test(name) ? 4000 : Math.max(goalMs, 14_000);
}

function charged(outcome: CellOutcome, late: FinishedCell | undefined, cell: Cell): CellOutcome {
	if (!late) return outcome;
	const title = late.outcome.message?.split('\n', 1)[0] ?? '';
	const message = late.cell === cell ? title : `charged to ${late.cell.case}: ${title}`;
	return {...outcome, verdict: 'crash', message};
}

function compare({verdict, message, isHang}: Fault, outcome: CellOutcome): string[] {
	const wrong: string[] = [];
	if (outcome.verdict !== verdict) wrong.push(`its verdict should be ${verdict}`);
	if (message && !message.test(outcome.message ?? '')) wrong.push(`its message should match ${message.source}`);
	const cpus = outcome.evidence?.cpus;
	if (isHang && !(Array.isArray(cpus) && cpus.length > 0)) wrong.push('it is unknown where the CPUs were');
	return wrong;
}

// SPDX-License-Identifier: GPL-2.0
import type {Isolation} from '../guest/isolation.ts';
import {countVerdicts, suiteOf} from '../results/run/cell-name.ts';
import type {CellEvent, CellName, EndEvent} from '../results/run/events.ts';
import {exitCode} from '../results/run/verdict.ts';
import {BootedKernels, type BootedKernelsOptions} from './booted-kernels.ts';
import {CellQueue, type ExpectedMs} from './cell-queue.ts';
import {leakDetector, leakScanAfter} from './leak-scan.ts';
import {type Cell, isWanted} from './plan.ts';
import {FailureReruns} from './rerun-failures.ts';
import type {CellOutcome} from './run-cell.ts';
import {unlessNoGuest, Worker} from './worker.ts';

export type RunMatrixOptions = BootedKernelsOptions & {
	readonly cells: readonly Cell[];
	/** Results of cells from an earlier run that count as this run's. */
	readonly finished?: readonly CellEvent[];
	readonly isolation: Isolation;
	/** The number of guests that run at the same time. */
	readonly workers: number;
	/** Durations from earlier runs; the longest cells start first. */
	readonly expectedMs?: ExpectedMs;
	/** How long after its end a cell may still be charged with a kernel report, on an idle host. */
	readonly lateMs?: number;
	/** The number of requested cells that are missing here because their kernels are unavailable. */
	readonly leftOut?: number;
	/** Whether a failed cell runs once more in a fresh guest. Default: true. */
	readonly isConfirming?: boolean;
};

/** Runs all cells and resolves with the end event. Rejects only with the signal's reason or an error of `emit`. */
export async function runMatrix(options: RunMatrixOptions): Promise<EndEvent> {
	const {cells, emit, isolation, signal, workers, leftOut = 0, isConfirming = true} = options;
	const startedAt = performance.now();
	const finished: CellEvent[] = [...(options.finished ?? [])];
	const kernels = new BootedKernels(options);
	const queue = new CellQueue(cells, options.expectedMs);
	const reruns = new FailureReruns();

	const work = async () => {
		await using worker = new Worker({
			bootGuest: kernel => kernels.boot(kernel),
			isolation,
			signal,
			onEnded: (cell, {verdict, durationMs}) => emit({type: 'ended', ...nameOf(cell), verdict, durationMs}),
			onFinished({cell, outcome, again}) {
				const subtests = subtestEvents(cell, outcome, again).filter(({case: id}) => isWanted(cell, id));
				for (const event of [cellEvent(cell, outcome, again), ...subtests]) {
					finished.push(event);
					emit(event);
				}
			},
			...(isConfirming && {reruns}),
			...(options.lateMs !== undefined && {lateMs: options.lateMs}),
		});
		const run = async (cell: Cell, {isRepeatable = true}: {isRepeatable?: boolean} = {}) => {
			const {kernel} = cell;
			emit({type: 'started', ...nameOf(cell)});
			kernels.begin(kernel);
			try {
				const outcome = await unlessNoGuest(worker.run(cell, {isRepeatable}));
				if (!outcome) kernels.giveUp(kernel, 1);
			} finally {
				if (kernels.hasFailed(kernel)) kernels.giveUp(kernel, queue.giveUp(kernel));
				kernels.end(kernel);
			}
		};
		let before: Cell | undefined;
		try {
			for (let cell = queue.take(); ; cell = queue.take()) {
				const isEndOfSuite = before && !(cell && cell.kernel === before.kernel && suiteOf(cell) === suiteOf(before));
				// Not repeatable: a rerun gets a fresh guest, which does not hold the leaked memory.
				if (isEndOfSuite && worker.hasOption(leakDetector)) await run(leakScanAfter(before!), {isRepeatable: false});
				if (!cell) break;
				await run(cell);
				before = cell;
			}
			await worker.settle();
		} finally {
			// Also after an interrupt: the verdicts of these cells are valid.
			worker.handOutAll();
		}
	};
	const ends = await Promise.allSettled(Array.from({length: Math.max(1, Math.min(workers, cells.length))}, work));
	signal.throwIfAborted();
	const broken = ends.find(end => end.status === 'rejected');
	if (broken) throw broken.reason;

	const counts = countVerdicts(finished);
	const notRun = leftOut + kernels.notRun;
	const end: EndEvent = {
		type: 'end',
		counts,
		...(notRun > 0 && {notRun}),
		durationMs: Math.round(performance.now() - startedAt),
		exitCode: exitCode(counts, {isKernelMissing: leftOut > 0 || kernels.isOneMissing}),
	};
	emit(end);
	return end;
}

function nameOf({
	kernel,
	mechanism,
	case: id,
	target,
	alternative,
	repeat,
}: Cell): CellName & {readonly repeat: number} {
	return {kernel, mechanism, case: id, ...(target && {target}), ...(alternative && {alternative}), repeat};
}

/** The events of what a case has reported as cells of their own. */
function subtestEvents(cell: Cell, {subtests = []}: CellOutcome, again?: CellOutcome): readonly CellEvent[] {
	return subtests.map(({name, verdict, message}) => {
		const repeated = again?.subtests?.find(each => each.name === name);
		return {
			type: 'cell',
			...nameOf(cell),
			case: `${cell.case}/${name}`,
			verdict,
			durationMs: 0,
			...(message !== undefined && {message}),
			...(verdict === 'fail' &&
				repeated && {
					again: {verdict: repeated.verdict, ...(repeated.message !== undefined && {message: repeated.message})},
					...(repeated.verdict === 'pass' && {flaky: true}),
				}),
		};
	});
}

/** The event with the outcome of a cell. */
export function cellEvent(
	cell: Cell,
	{verdict, durationMs, message, evidence, console, consolePath, memory}: CellOutcome,
	again?: CellOutcome,
): CellEvent {
	return {
		type: 'cell',
		...nameOf(cell),
		verdict,
		durationMs,
		...(message !== undefined && {message}),
		...(again && {
			again: {verdict: again.verdict, ...(again.message !== undefined && {message: again.message})},
			...(again.verdict === 'pass' && {flaky: true}),
		}),
		...(evidence && {evidence}),
		...(console !== undefined && {console}),
		...(consolePath !== undefined && {consolePath}),
		...(memory && {memory}),
	};
}

import {messageOf} from '../host/errors.ts';
import {
	type CellEvent,
	countVerdicts,
	type EndEvent,
	type Event,
	exitCode,
	type KernelEvent,
} from '../results/events.ts';
import type {Guest} from './guest.ts';
import type {Cell} from './plan.ts';
import {runCell} from './run-cell.ts';

export type RunMatrixOptions = {
	readonly cells: readonly Cell[];
	/** A fresh guest of a kernel. */
	readonly bootGuest: (kernel: string, options: {signal: AbortSignal}) => Promise<Guest>;
	readonly emit: (event: Event) => void;
	readonly signal: AbortSignal;
	/** Guests at once. */
	readonly lanes: number;
	readonly deadlineScale?: number;
};

/** Runs all cells; resolves with the last event. Rejects only with the signal's reason. */
export async function runMatrix({
	cells,
	bootGuest,
	emit,
	signal,
	lanes,
	deadlineScale,
}: RunMatrixOptions): Promise<EndEvent> {
	const startedAt = performance.now();
	const finished: CellEvent[] = [];
	const kernelStates = new Map<string, KernelEvent>();
	const queue = [...cells];

	const report = (
		cell: Cell,
		outcome: Pick<CellEvent, 'verdict' | 'durationMs' | 'message' | 'evidence' | 'console'>,
	) => {
		const {kernel, mechanism, case: id, target, repeat} = cell;
		const event: CellEvent = {
			type: 'cell',
			kernel,
			mechanism,
			case: id,
			...(target && {target}),
			repeat,
			verdict: outcome.verdict,
			durationMs: outcome.durationMs,
			...(outcome.message !== undefined && {message: outcome.message}),
			...(outcome.evidence && {evidence: outcome.evidence}),
			...(outcome.console !== undefined && {console: outcome.console}),
		};
		finished.push(event);
		emit(event);
	};

	const boot = async (kernel: string): Promise<Guest | undefined> => {
		try {
			const guest = await bootGuest(kernel, {signal});
			if (!kernelStates.has(kernel)) {
				const event: KernelEvent = {
					type: 'kernel',
					kernel,
					state: 'ready',
					release: guest.release,
					bootMs: guest.bootMs,
				};
				kernelStates.set(kernel, event);
				emit(event);
			}
			return guest;
		} catch (error) {
			signal.throwIfAborted();
			const event: KernelEvent = {type: 'kernel', kernel, state: 'failed', reason: messageOf(error)};
			kernelStates.set(kernel, event);
			emit(event);
			return undefined;
		}
	};

	const lane = async () => {
		let guest: Guest | undefined;
		let guestKernel: string | undefined;
		try {
			for (let cell = queue.shift(); cell; cell = queue.shift()) {
				signal.throwIfAborted();
				if (guest && guestKernel !== cell.kernel) {
					await guest[Symbol.asyncDispose]();
					guest = undefined;
				}
				const failed = kernelStates.get(cell.kernel);
				if (failed?.state === 'failed') {
					report(cell, {verdict: 'infra', durationMs: 0, message: `${cell.kernel} does not boot: ${failed.reason}`});
					continue;
				}
				guest ??= await boot(cell.kernel);
				guestKernel = cell.kernel;
				if (!guest) {
					queue.unshift(cell);
					continue;
				}
				const {kernel, mechanism, case: id, target, repeat} = cell;
				emit({type: 'started', kernel, mechanism, case: id, ...(target && {target}), repeat});
				const outcome = await runCell(cell, guest, {signal, ...(deadlineScale !== undefined && {deadlineScale})});
				signal.throwIfAborted();
				report(cell, outcome);
				if (outcome.isGuestDirty) {
					await guest[Symbol.asyncDispose]();
					guest = undefined;
				}
			}
		} finally {
			await guest?.[Symbol.asyncDispose]();
		}
	};

	const ends = await Promise.allSettled(Array.from({length: Math.max(1, Math.min(lanes, cells.length))}, lane));
	signal.throwIfAborted();
	const broken = ends.find(end => end.status === 'rejected');
	if (broken) throw broken.reason;

	const counts = countVerdicts(finished);
	const isKernelMissing = [...kernelStates.values()].some(({state}) => state !== 'ready');
	const end: EndEvent = {
		type: 'end',
		counts,
		durationMs: Math.round(performance.now() - startedAt),
		exitCode: exitCode(counts, {isKernelMissing}),
	};
	emit(end);
	return end;
}

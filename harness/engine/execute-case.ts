// SPDX-License-Identifier: GPL-2.0
import {setTimeout as sleep} from 'node:timers/promises';
import type {Guest} from '../guest/guest.ts';
import {GuestWatch} from '../guest/guest-watch.ts';
import {abortable} from '../host/abort.ts';
import {LinkLostError} from '../host/errors.ts';
import {cellTitle} from '../results/run/cell-name.ts';
import type {Subtest} from './case.ts';
import {openContext} from './context.ts';
import {DeadlineError, GuestEndedError, type Left, TroubleError} from './judge.ts';
import type {Cell} from './plan.ts';

/** What happened while a case ran. */
export type Execution = {
	/** Names the cell in the marks of the guest's kernel log. */
	readonly title: string;
	/** The error that ended the case early: one of judge.ts, a LinkLostError, or the error that the case threw. */
	readonly failure?: unknown;
	readonly durationMs: number;
	/** The state that the case left behind; absent if it failed. */
	readonly left?: Left;
	readonly evidence: Record<string, unknown>;
	readonly subtests: readonly Subtest[];
	/** The case missed its deadline and the guest's agent does not answer. */
	readonly isSilent: boolean;
	/** The kernel had reported a problem before the case began. */
	readonly isReportLate: boolean;
	/** Undoes what the case did. */
	close(): Promise<void>;
};

export type ExecuteOptions = {
	readonly signal: AbortSignal;
	/** How long to wait for late reports after the case has ended. */
	readonly settleMs?: number;
};

/** A longer timer would fire at once. */
const longestTimerMs = 2 ** 31 - 1;
/** How long to wait for the guest's end after its link was lost. */
const graceMs = 5000;
/** Few cells take this long; after it, a vCPU that loops on a removed breakpoint under TCG is freed. */
const retranslateMs = 3000;
/** How long after the cell's start a silent guest may still report why it hangs (see guest-settings.ts). */
const silentMs = 14_000;

/**
 * Runs a cell's case in a guest until the case ends, fails or misses its deadline, or the kernel reports a problem.
 * Never throws.
 */
export async function executeCase(
	cell: Cell,
	guest: Guest,
	{signal, settleMs = 0}: ExecuteOptions,
): Promise<Execution> {
	const startedAt = performance.now();
	const {slowness} = guest;
	const deadlineMs = Math.min(cell.definition.deadlineMs * slowness, longestTimerMs);
	const stop = new AbortController();
	const deadline = new DeadlineError(`Timed out after ${Math.round(deadlineMs / 100) / 10} s.`);
	const timer = setTimeout(() => stop.abort(deadline), deadlineMs);
	void guest.ended.then(end => stop.abort(new GuestEndedError(end)));
	const watch = GuestWatch.of(guest);
	await guest.console.refresh().catch(() => {});
	const isReportLate = watch.reports.length > 0;
	const trouble = Promise.withResolvers<void>();
	using _ = watch.onTrouble(() => {
		trouble.resolve();
		stop.abort(new TroubleError('The kernel reported a problem.'));
	});
	const ended = AbortSignal.any([signal, stop.signal]);
	const title = `${cellTitle(cell)} ${cell.repeat}`;
	const mark = `begin ${title}`;
	const {context, evidence, subtests, close} = openContext({cell, guest, mark, signal: ended});
	const {suite} = cell;
	const refreshing = retranslateEvery(retranslateMs, guest, () => {
		evidence.retranslations = Number(evidence.retranslations ?? 0) + 1;
	});

	let failure: unknown;
	let durationMs = 0;
	let left: Left | undefined;
	try {
		const before = await abortable(guest.ask('mark', {text: mark}), ended);
		if (suite.beforeCell) await abortable(suite.beforeCell(guest), ended);
		await abortable(cell.definition.run(context), ended);
		durationMs = performance.now() - startedAt;
		await abortable(close(), ended);
		if (settleMs > 0) await abortable(sleep(settleMs), ended);
		const after = await abortable(stateOf(cell, guest, `end ${title}`), ended);
		left = {...after, taint: after.taint & ~before.taint};
	} catch (error) {
		durationMs ||= performance.now() - startedAt;
		failure =
			error instanceof LinkLostError
				? await whyLost(guest, error)
				: (error ?? new TypeError(`The case threw ${error}.`));
	}
	clearTimeout(timer);
	clearInterval(refreshing);
	const isSilent = failure instanceof DeadlineError && !(await answers(guest, slowness));
	if (isSilent && !(await guest.isHeld?.())) {
		const waitMs = startedAt + silentMs * slowness - performance.now();
		const waiting = sleep(Math.max(0, waitMs), undefined, {ref: false, signal}).catch(() => {});
		await Promise.race([trouble.promise, guest.ended, waiting]);
	}
	return {title, failure, durationMs, ...(left && {left}), evidence, subtests, isSilent, isReportLate, close};
}

/** Marks the end of a cell in the kernel log, and tells what the guest holds. */
export async function stateOf({suite}: Cell, guest: Guest, text: string): Promise<Left> {
	const {taint, left} = await guest.ask('mark', {text});
	const more = await suite.leftovers?.(guest);
	return {taint, left: [...left, ...(more ?? [])]};
}

/** Whether the agent of a guest whose case missed its deadline still answers. */
async function answers(guest: Guest, slowness: number): Promise<boolean> {
	try {
		await abortable(guest.ask('clock', {}), AbortSignal.timeout(Math.round(500 * slowness)));
		return true;
	} catch {
		// A late answer or a lost link counts as no answer.
		return false;
	}
}

/** A lost link is a symptom. The end of the guest is the cause, but is known a moment later. */
async function whyLost(guest: Guest, error: LinkLostError): Promise<Error> {
	const late = sleep(graceMs, error, {ref: false});
	return Promise.race([guest.ended.then(end => new GuestEndedError(end)), late]);
}

/** Frees vCPUs that loop on a removed breakpoint. Other hangs stay, and a healthy guest does not notice. */
function retranslateEvery(ms: number, guest: Guest, onDone: () => void): NodeJS.Timeout {
	let isUnderWay = false;
	return setInterval(() => {
		if (isUnderWay) return;
		isUnderWay = true;
		guest
			.retranslate()
			.then(onDone, () => {
				// QEMU has ended or does not respond; the guest's end or the deadline reports that.
			})
			.finally(() => {
				isUnderWay = false;
			});
	}, ms);
}

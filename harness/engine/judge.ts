// SPDX-License-Identifier: GPL-2.0
import {AssertionError} from 'node:assert/strict';
import type {KernelReport} from '../crash/crash-report.ts';
import {isStaleBreakpoint} from '../crash/stale-breakpoint.ts';
import type {GuestEnd} from '../guest/guest.ts';
import {AgentError, LinkLostError, messageOf} from '../host/errors.ts';
import type {Verdict} from '../results/run/verdict.ts';
import {InconclusiveCase, SkipCase} from './case.ts';

/** Taint flags that a cell must not set: TAINT_DIE, TAINT_WARN, TAINT_BAD_PAGE, TAINT_SOFTLOCKUP. */
export const badTaint = (1 << 7) | (1 << 9) | (1 << 5) | (1 << 14);

export class DeadlineError extends Error {}

/** The kernel reported a problem, or its console cannot be judged, so the case ends at once. */
export class TroubleError extends Error {}

export class GuestEndedError extends Error {
	readonly verdict: Verdict;

	constructor({verdict, message}: GuestEnd) {
		super(message);
		this.verdict = verdict;
	}
}

/** The state of a guest after a case; `left` has sentences about what the case left behind. */
export type Left = {readonly taint: number; readonly left: readonly string[]};

export type Judgement = {
	readonly verdict: Verdict;
	readonly message?: string;
	/** A known fault of the emulator occurred, so the run says nothing about the case. */
	readonly isEmulatorsFault?: true;
};

type Found = {
	readonly reports: readonly KernelReport[];
	readonly left?: Left;
	readonly broken?: {readonly error: unknown};
	readonly isEmulated: boolean;
};

/** Kernel reports take precedence over how the case ended, and that over what it left behind. */
export function judge(failure: unknown, {reports, left, broken, isEmulated}: Found): Judgement {
	const [report, ...others] = reports;
	if (report && isEmulated && isStaleBreakpoint(report)) {
		const message = `QEMU executed a breakpoint that the kernel had removed (${report.frames[0]}).`;
		return {verdict: 'infra', message, isEmulatorsFault: true};
	}
	if (report) {
		// A kernel that reports a stall hangs. It is a crash only if the kernel panicked, too.
		const verdict = report.kind === 'stall' && !report.hasPanicked ? 'hang' : 'crash';
		const more = [...new Set(others.map(({title}) => title))].filter(title => title !== report.title);
		return {verdict, message: [report.title, ...more.map(title => `then: ${title}`)].join('\n')};
	}
	if (broken)
		return {
			verdict: 'infra',
			message: `The console could not be judged because the detector failed: ${stackOf(broken.error)}`,
		};
	if (failure instanceof DeadlineError || failure instanceof LinkLostError)
		return {verdict: 'hang', message: failure.message};
	if (failure instanceof GuestEndedError) return {verdict: failure.verdict, message: failure.message};
	if (failure instanceof SkipCase) return {verdict: 'skip', message: failure.message};
	if (failure instanceof InconclusiveCase) return {verdict: 'inconclusive', message: failure.message};
	if (failure instanceof AssertionError || failure instanceof AgentError)
		return {verdict: 'fail', message: failure.message};
	if (failure !== undefined) return {verdict: 'infra', message: stackOf(failure)};
	if (left && left.taint & badTaint)
		return {verdict: 'crash', message: `The kernel is tainted (${left.taint}), but its console has no report.`};
	if (left && left.left.length > 0) return {verdict: 'fail', message: `${left.left.join(', and ')} after the case.`};
	return {verdict: 'pass'};
}

function stackOf(error: unknown): string {
	return error instanceof Error ? (error.stack ?? error.message) : messageOf(error);
}

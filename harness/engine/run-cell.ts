// SPDX-License-Identifier: GPL-2.0
import type {KernelReport} from '../crash/crash-report.ts';
import type {Guest} from '../guest/guest.ts';
import {GuestWatch} from '../guest/guest-watch.ts';
import {abortable} from '../host/abort.ts';
import {LinkLostError} from '../host/errors.ts';
import {unclaimedMessage} from '../results/run/claims.ts';
import type {CellEvent} from '../results/run/events.ts';
import {isGreen} from '../results/run/verdict.ts';
import type {KernelFacts, Subtest} from './case.ts';
import {type ExecuteOptions, type Execution, executeCase, stateOf} from './execute-case.ts';
import {badTaint, GuestEndedError, type Judgement, judge, TroubleError} from './judge.ts';
import type {Cell} from './plan.ts';

export type CellOutcome = Pick<
	CellEvent,
	'verdict' | 'durationMs' | 'message' | 'evidence' | 'console' | 'consolePath' | 'memory'
> &
	Pick<Judgement, 'isEmulatorsFault'> & {
		/** Cells of their own, in the order in which the case reported them. */
		readonly subtests?: readonly Subtest[];
		/** The error of the case, for a test runner that shows it better than its message. */
		readonly error?: unknown;
		/** The guest must not be used for another cell. */
		readonly isGuestDirty: boolean;
		/** The first kernel report. */
		readonly report?: KernelReport;
		/** The report predates the cell or lies outside its marks in the log, so an earlier cell may have caused it. */
		readonly isReportLate?: boolean;
	};

/** How long a guest may take to undo what a failed case did. */
const graceMs = 5000;
/** The most console text that an event keeps. */
const excerptChars = 1 << 15;

/** Runs one cell in a guest and judges it. Never throws: every outcome is a verdict. */
export async function runCell(cell: Cell, guest: Guest, options: ExecuteOptions): Promise<CellOutcome> {
	const message = whyNot(cell, guest);
	if (message !== undefined) return {verdict: 'skip', durationMs: 0, message, isGuestDirty: false};
	const execution = await executeCase(cell, guest, options);
	const aftermath = await clearUp(cell, guest, execution);
	return withKnown(cell, guest, await conclude(guest, execution, aftermath));
}

/** Why the cell does not apply to a kernel: its mechanism does not claim what the case needs, or the kernel lacks it. */
export function whyNot({definition, target, suite, mechanismUsed}: Cell, kernel: KernelFacts): string | undefined {
	const ofTarget = target === undefined ? [] : (suite.targetNeeds?.(target) ?? []);
	const needs = [...new Set([...(definition.needs ?? []), ...ofTarget])];
	const {id, features} = mechanismUsed;
	const unclaimed = needs.find(feature => !features.has(feature));
	if (unclaimed !== undefined) return unclaimedMessage(id, unclaimed);
	return mechanismUsed.missing?.(kernel, needs) ?? definition.missing?.(kernel);
}

type Aftermath = Pick<GuestWatch, 'reports' | 'broken'> & {
	readonly isGuestDirty: boolean;
	/** The console output since the last cell. */
	readonly console: string;
};

/** Undoes what is left of the case and collects the kernel reports. */
async function clearUp(cell: Cell, guest: Guest, {title, failure, isSilent, close}: Execution): Promise<Aftermath> {
	// Clean up after failures, too; a guest that cannot be cleaned up is not used again.
	const isGuestDirty =
		isSilent || isFatal(failure) || (failure !== undefined && !(await tidies(cell, guest, close, title)));
	const watch = GuestWatch.of(guest);
	await settleConsole(guest, `end ${title}`, {isExpected: !isGuestDirty});
	await watch.settled(guest.console);
	const {reports, broken} = watch;
	const console = guest.console.from(watch.judged.console);
	watch.settle(guest.console);
	return {isGuestDirty, reports, broken, console};
}

/** The verdict and everything else that the cell's event stores. */
async function conclude(
	guest: Guest,
	{title, failure, durationMs, left, evidence, subtests, isReportLate}: Execution,
	{isGuestDirty, reports, broken, console}: Aftermath,
): Promise<CellOutcome> {
	const [report] = reports;
	const isEmulated = guest.isEmulated ?? false;
	let judged: Judgement = judge(failure, {reports, isEmulated, ...(left && {left}), ...(broken && {broken})});
	if (report) evidence.report = await describe(report, guest);
	if (judged.verdict === 'hang' && guest.examine) judged = await examine(guest, judged, evidence);
	const {verdict} = judged;
	// A report is one of these verdicts, and so is a console that cannot be judged.
	const isSpoilt = verdict === 'hang' || verdict === 'crash' || verdict === 'infra';
	const isLeft = left && (left.taint & badTaint || left.left.length > 0);
	return {
		...judged,
		durationMs: Math.round(durationMs),
		...(Object.keys(evidence).length > 0 && {evidence}),
		...(subtests.length > 0 && {subtests}),
		...(failure !== undefined && {error: failure instanceof TroubleError ? new Error(judged.message) : failure}),
		...(!isGreen(judged) && {
			console: excerpt(report?.text ?? console),
			consolePath: guest.console.path,
		}),
		isGuestDirty: Boolean(isGuestDirty || isSpoilt || isLeft),
		...(report &&
			!judged.isEmulatorsFault && {
				report,
				isReportLate: isReportLate || (report.mark !== `begin ${title}` && report.mark !== `end ${title}`),
			}),
	};
}

/** A failing that the suite lists is known; a cell that passes though it is listed says so. */
function withKnown(cell: Cell, guest: Guest, outcome: CellOutcome): CellOutcome {
	const listed = cell.suite.knownFailing?.(cell, guest);
	if (!listed) return outcome;
	if (outcome.verdict === 'pass' && listed.sometimes) return outcome;
	if (outcome.verdict === 'pass')
		return {...outcome, message: `It is listed as a known failing, but passes: ${listed.reason}`};
	const {report: _, ...rest} = outcome;
	const failsAsListed = listed.report === undefined ? rest.verdict === 'fail' : isCrash(outcome, listed.report);
	if (!failsAsListed) return outcome;
	return {...rest, verdict: 'known', message: `${listed.reason}\n${outcome.message}`};
}

/** Whether the cell itself, and no earlier one, made the kernel say this. */
function isCrash({verdict, report, isReportLate}: CellOutcome, title: string): boolean {
	return verdict === 'crash' && report?.title === title && !isReportLate;
}

/** After these errors the guest is discarded without cleaning up. */
function isFatal(failure: unknown): boolean {
	return failure instanceof GuestEndedError || failure instanceof TroubleError || failure instanceof LinkLostError;
}

async function describe({frames, task, hasPanicked}: KernelReport, guest: Guest): Promise<Record<string, unknown>> {
	return {
		...(task !== undefined && {task}),
		frames: guest.locate ? await guest.locate(frames).catch(() => frames) : frames,
		...(hasPanicked && {hasPanicked}),
	};
}

/** Examines a hung guest before it is killed. */
async function examine(guest: Guest, judged: Judgement, evidence: Record<string, unknown>): Promise<Judgement> {
	const found = await guest.examine!();
	Object.assign(evidence, found.evidence);
	return {verdict: found.verdict, message: [judged.message, found.words].filter(Boolean).join('\n')};
}

async function tidies(cell: Cell, guest: Guest, close: () => Promise<void>, title: string): Promise<boolean> {
	const late = AbortSignal.timeout(graceMs);
	try {
		if (cell.suite.release) await abortable(cell.suite.release(guest), late);
		await abortable(close(), late);
		const {left} = await abortable(stateOf(cell, guest, `end ${title}`), late);
		return left.length === 0;
	} catch {
		// For whatever reason, this guest does not answer correctly.
		return false;
	}
}

/** Waits until the console file contains the cell's end: the agent's answer uses another channel and may be earlier. */
async function settleConsole(guest: Guest, mark: string, {isExpected}: {isExpected: boolean}): Promise<void> {
	const pattern = new RegExp(`probe-matrix: ${RegExp.escape(mark)}$`);
	const waited = guest.console.waitForLine(pattern, {signal: AbortSignal.timeout(isExpected ? graceMs : 500)});
	await waited.catch(() => {});
	await guest.console.refresh().catch(() => {});
}

function excerpt(console: string): string {
	const lines = console.slice(-excerptChars).trimEnd().split('\n');
	return lines.slice(Math.max(0, lines.length - 120)).join('\n');
}

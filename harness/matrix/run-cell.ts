import {AssertionError} from 'node:assert/strict';
import {setTimeout as sleep} from 'node:timers/promises';
import {AgentError, LinkLostError, messageOf} from '../host/errors.ts';
import {type CellEvent, cellTitle, type Verdict} from '../results/events.ts';
import {findKernelReport} from '../vm/crash-detector.ts';
import {InconclusiveCase, SkipCase} from './case.ts';
import {openContext} from './context.ts';
import type {Guest, GuestEnd} from './guest.ts';
import type {Cell} from './plan.ts';

export type CellOutcome = Pick<
	CellEvent,
	'verdict' | 'durationMs' | 'message' | 'evidence' | 'console' | 'consolePath'
> & {
	/** What the case threw, for a runner that can show it better than its message. */
	readonly error?: unknown;
	/** The guest must not be used for another cell. */
	readonly isGuestDirty: boolean;
};

/** What must be unset after a cell: died, warned, bad page, soft lockup. */
const badTaint = (1 << 7) | (1 << 9) | (1 << 5) | (1 << 14);
const graceMs = 5000;
/** Hardly a cell takes so long; one that an emulator keeps in a loop is freed after this time. */
const retranslateMs = 3000;

class DeadlineError extends Error {}

class GuestEndedError extends Error {
	readonly verdict: Verdict;

	constructor({verdict, message}: GuestEnd) {
		super(message);
		this.verdict = verdict;
	}
}

/** How much of a guest's console has been judged: what comes between two cells must not be lost. */
const judgedTo = new WeakMap<Guest, number>();

/** Runs one cell in a guest and judges it. Never throws: whatever happens is a verdict. */
export async function runCell(cell: Cell, guest: Guest, {signal}: {signal: AbortSignal}): Promise<CellOutcome> {
	const missing = cell.definition.needs.filter(feature => !cell.mechanismUsed.features.has(feature));
	if (missing.length > 0) {
		return {
			verdict: 'skip',
			durationMs: 0,
			message: `${cell.mechanism} has no ${missing.join(', ')}.`,
			isGuestDirty: false,
		};
	}

	const startedAt = performance.now();
	const {slowness} = guest;
	const deadlineMs = cell.definition.deadlineMs * slowness;
	const stop = new AbortController();
	const timer = setTimeout(() => stop.abort(new DeadlineError(`No end after ${deadlineMs / 1000} s.`)), deadlineMs);
	void guest.ended.then(end => stop.abort(new GuestEndedError(end)));
	const ended = AbortSignal.any([signal, stop.signal]);
	const {context, evidence, close} = openContext({
		cell,
		ask: guest.ask,
		exec: guest.exec,
		hasOption: guest.hasOption,
		addresses: guest.addresses,
		signal: ended,
		slowness,
	});
	const refreshing = retranslateEvery(retranslateMs, guest, () => {
		evidence.retranslations = Number(evidence.retranslations ?? 0) + 1;
	});
	const title = `${cellTitle(cell)} ${cell.repeat}`;
	const consoleFrom = judgedTo.get(guest) ?? guest.console.text.length;

	let failure: unknown;
	let durationMs = 0;
	let left: {taint: number; probes: number; waiting: number} | undefined;
	try {
		const before = await unless(ended, guest.ask('mark', {text: `begin ${title}`}));
		await unless(ended, guest.ask('reset', {}));
		await unless(ended, cell.definition.run(context));
		durationMs = performance.now() - startedAt;
		await unless(ended, close());
		left = await unless(ended, guest.ask('mark', {text: `end ${title}`}));
		left = {...left, taint: left.taint & ~before.taint};
	} catch (error) {
		durationMs ||= performance.now() - startedAt;
		failure =
			error instanceof LinkLostError
				? await whyLost(guest, error)
				: (error ?? new TypeError(`The case threw ${error}.`));
	}
	clearTimeout(timer);
	clearInterval(refreshing);

	// After a failure, too, what the case left must be cleared away, or the guest is of no more use.
	let isGuestDirty =
		failure !== undefined && (failure instanceof GuestEndedError || !(await tidies(guest, close, title)));
	await settleConsole(guest, `end ${title}`, {isExpected: !isGuestDirty});
	const console = guest.console.text.slice(consoleFrom);
	judgedTo.set(guest, guest.console.text.length);
	const report = findKernelReport(console);
	const judged = judge(failure, {reportTitle: report && whenSaid(report.title, console, title), left});
	if (report || judged.verdict === 'hang' || judged.verdict === 'crash' || judged.verdict === 'infra')
		isGuestDirty = true;
	if (left && (left.taint & badTaint || left.probes > 0 || left.waiting > 0)) isGuestDirty = true;
	return {
		...judged,
		durationMs: Math.round(durationMs),
		...(Object.keys(evidence).length > 0 && {evidence}),
		...(failure !== undefined && {error: failure}),
		...(judged.verdict !== 'pass' &&
			judged.verdict !== 'skip' && {
				console: excerpt(report?.text ?? console),
				consolePath: guest.console.path,
			}),
		isGuestDirty,
	};
}

function judge(
	failure: unknown,
	{
		reportTitle,
		left,
	}: {reportTitle: string | undefined; left: {taint: number; probes: number; waiting: number} | undefined},
): {verdict: Verdict; message?: string} {
	if (reportTitle !== undefined) return {verdict: 'crash', message: reportTitle};
	if (failure instanceof DeadlineError) return {verdict: 'hang', message: failure.message};
	if (failure instanceof GuestEndedError) return {verdict: failure.verdict, message: failure.message};
	if (failure instanceof LinkLostError) return {verdict: 'hang', message: failure.message};
	if (failure instanceof SkipCase) return {verdict: 'skip', message: failure.message};
	if (failure instanceof InconclusiveCase) return {verdict: 'inconclusive', message: failure.message};
	if (failure instanceof AssertionError || failure instanceof AgentError)
		return {verdict: 'fail', message: failure.message};
	if (failure !== undefined) {
		return {
			verdict: 'infra',
			message: failure instanceof Error ? (failure.stack ?? failure.message) : messageOf(failure),
		};
	}
	if (left && left.taint & badTaint)
		return {verdict: 'crash', message: `The kernel is tainted (${left.taint}), but its console says nothing.`};
	if (left && left.probes > 0)
		return {verdict: 'fail', message: `${left.probes} probes are still attached at the end of the case.`};
	if (left && left.waiting > 0)
		return {verdict: 'fail', message: `${left.waiting} tasks still wait inside a target at the end of the case.`};
	return {verdict: 'pass'};
}

/** A late complaint, of a callback for instance, is the matter of the cell before. */
function whenSaid(reportTitle: string, console: string, title: string): string {
	const isLate = console.indexOf(reportTitle) < console.indexOf(`probe-matrix: begin ${title}`);
	return isLate ? `${reportTitle} (said before this cell began: look at the one before it)` : reportTitle;
}

/** A lost link is a symptom; what ended the guest says more, and comes a moment later. */
async function whyLost(guest: Guest, error: LinkLostError): Promise<Error> {
	const late = sleep(graceMs, error, {ref: false});
	return Promise.race([guest.ended.then(end => new GuestEndedError(end)), late]);
}

/** A guest that hangs for another reason is not helped by this, and one that is well does not notice. */
function retranslateEvery(ms: number, guest: Guest, onDone: () => void): NodeJS.Timeout {
	let isUnderWay = false;
	return setInterval(() => {
		if (isUnderWay) return;
		isUnderWay = true;
		guest
			.retranslate()
			.then(onDone, () => {
				// QEMU has ended or stands still: the cell's own deadline and end say so.
			})
			.finally(() => {
				isUnderWay = false;
			});
	}, ms);
}

async function tidies(guest: Guest, close: () => Promise<void>, title: string): Promise<boolean> {
	const late = AbortSignal.timeout(graceMs);
	try {
		await unless(late, guest.ask('release', {}));
		await unless(late, close());
		const left = await unless(late, guest.ask('mark', {text: `end ${title}`}));
		return left.probes <= 0 && left.waiting === 0;
	} catch {
		// Whatever the reason, this guest does not answer as it should.
		return false;
	}
}

/** The console comes by file, the answer by SSH: waits until the file has caught up with the cell's end. */
async function settleConsole(guest: Guest, mark: string, {isExpected}: {isExpected: boolean}): Promise<void> {
	const pattern = new RegExp(`probe-matrix: ${RegExp.escape(mark)}$`);
	const waited = guest.console.waitForLine(pattern, {signal: AbortSignal.timeout(isExpected ? graceMs : 500)});
	await waited.catch(() => {});
	await guest.console.refresh().catch(() => {});
}

/** `work`, or the reason of the signal if that comes first; what comes later is nobody's failure. */
async function unless<T>(signal: AbortSignal, work: Promise<T>): Promise<T> {
	work.catch(() => {});
	const {promise, reject} = Promise.withResolvers<never>();
	const abort = () => reject(signal.reason);
	signal.addEventListener('abort', abort, {once: true});
	try {
		signal.throwIfAborted();
		return await Promise.race([work, promise]);
	} finally {
		signal.removeEventListener('abort', abort);
	}
}

function excerpt(console: string): string {
	const lines = console.trimEnd().split('\n');
	return lines.slice(Math.max(0, lines.length - 120)).join('\n');
}

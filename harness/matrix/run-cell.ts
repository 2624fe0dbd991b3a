import {setTimeout as sleep} from 'node:timers/promises';
import {LinkLostError} from '../host/errors.ts';
import {type CellEvent, cellTitle} from '../results/events.ts';
import type {KernelReport} from '../vm/crash-report.ts';
import {openContext} from './context.ts';
import type {Guest} from './guest.ts';
import {GuestWatch} from './guest-watch.ts';
import {badTaint, DeadlineError, GuestEndedError, type Judgement, judge, type Left, TroubleError} from './judge.ts';
import type {Cell} from './plan.ts';

export type CellOutcome = Pick<
	CellEvent,
	'verdict' | 'durationMs' | 'message' | 'evidence' | 'console' | 'consolePath'
> &
	Pick<Judgement, 'isEmulatorsFault'> & {
		/** What the case threw, for a runner that can show it better than its message. */
		readonly error?: unknown;
		/** The guest must not be used for another cell. */
		readonly isGuestDirty: boolean;
		/** What the kernel complained about first. */
		readonly report?: KernelReport;
		/** The report was there before the cell began: it is the matter of a cell before, and this one has not run. */
		readonly isReportLate?: boolean;
	};

const graceMs = 5000;
/** Of the console, in an event. */
const excerptChars = 1 << 15;
/** Hardly a cell takes so long; one that an emulator keeps in a loop is freed after this time. */
const retranslateMs = 3000;
/** A guest that is silent is given until then, from the cell's begin, to say itself why (see guest-settings.ts). */
const silentMs = 14_000;

export type RunCellOptions = {
	readonly signal: AbortSignal;
	/** Stay so long after the case has ended, for what comes late. */
	readonly settleMs?: number;
};

/** Runs one cell in a guest and judges it. Never throws: whatever happens is a verdict. */
export async function runCell(cell: Cell, guest: Guest, {signal, settleMs = 0}: RunCellOptions): Promise<CellOutcome> {
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
	const {slowness, isEmulated = false} = guest;
	const deadlineMs = cell.definition.deadlineMs * slowness;
	const stop = new AbortController();
	const timer = setTimeout(
		() => stop.abort(new DeadlineError(`No end after ${Math.round(deadlineMs / 100) / 10} s.`)),
		deadlineMs,
	);
	void guest.ended.then(end => stop.abort(new GuestEndedError(end)));
	const watch = GuestWatch.of(guest);
	await guest.console.refresh().catch(() => {});
	const isLateForSure = watch.reports.length > 0;
	const trouble = Promise.withResolvers<void>();
	using _ = watch.onTrouble(() => {
		trouble.resolve();
		stop.abort(new TroubleError('The kernel complains.'));
	});
	const ended = AbortSignal.any([signal, stop.signal]);
	const {context, evidence, close} = openContext({
		cell,
		ask: guest.ask,
		exec: guest.exec,
		push: guest.push,
		hasOption: guest.hasOption,
		addresses: guest.addresses,
		signal: ended,
		slowness,
		isEmulated,
	});
	const refreshing = retranslateEvery(retranslateMs, guest, () => {
		evidence.retranslations = Number(evidence.retranslations ?? 0) + 1;
	});
	const title = `${cellTitle(cell)} ${cell.repeat}`;

	let failure: unknown;
	let durationMs = 0;
	let left: Left | undefined;
	try {
		const before = await unless(ended, guest.ask('mark', {text: `begin ${title}`}));
		await unless(ended, guest.ask('reset', {}));
		await unless(ended, cell.definition.run(context));
		durationMs = performance.now() - startedAt;
		await unless(ended, close());
		if (settleMs > 0) await unless(ended, sleep(settleMs));
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
	const isSilent = failure instanceof DeadlineError && !(await answers(guest, slowness));
	if (isSilent && !(await guest.isHeld?.())) {
		const waitMs = startedAt + silentMs * slowness - performance.now();
		await Promise.race([
			trouble.promise,
			guest.ended,
			sleep(Math.max(0, waitMs), undefined, {ref: false, signal}).catch(() => {}),
		]);
	}

	// After a failure, too, what the case left must be cleared away, or the guest is of no more use.
	let isGuestDirty = isSilent || isFatal(failure) || (failure !== undefined && !(await tidies(guest, close, title)));
	await settleConsole(guest, `end ${title}`, {isExpected: !isGuestDirty});
	await watch.settled(guest.console);
	const {reports, broken} = watch;
	const console = guest.console.from(watch.judged.console);
	watch.settle(guest.console);
	const [report] = reports;
	let judged: Judgement = judge(failure, {reports, isEmulated, ...(left && {left}), ...(broken && {broken})});
	if (report) evidence.report = await describe(report, guest);
	if (judged.verdict === 'hang' && guest.examine) judged = await examine(guest, judged, evidence);
	if (report || broken || judged.verdict === 'hang' || judged.verdict === 'crash' || judged.verdict === 'infra')
		isGuestDirty = true;
	if (left && (left.taint & badTaint || left.probes > 0 || left.waiting > 0)) isGuestDirty = true;
	return {
		...judged,
		durationMs: Math.round(durationMs),
		...(Object.keys(evidence).length > 0 && {evidence}),
		...(failure !== undefined && {error: failure instanceof TroubleError ? new Error(judged.message) : failure}),
		...(judged.verdict !== 'pass' &&
			judged.verdict !== 'skip' && {
				console: excerpt(report?.text ?? console),
				consolePath: guest.console.path,
			}),
		isGuestDirty,
		...(report &&
			!judged.isEmulatorsFault && {
				report,
				isReportLate: isLateForSure || (report.mark !== `begin ${title}` && report.mark !== `end ${title}`),
			}),
	};
}

/** After these the guest is thrown away as it is. */
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

/** Whether a guest whose case does not end is well otherwise. */
async function answers(guest: Guest, slowness: number): Promise<boolean> {
	try {
		await unless(AbortSignal.timeout(Math.round(500 * slowness)), guest.ask('counts', {}));
		return true;
	} catch {
		// Late or lost: no answer.
		return false;
	}
}

/** A look at a guest that hangs, before it is killed. */
async function examine(guest: Guest, judged: Judgement, evidence: Record<string, unknown>): Promise<Judgement> {
	const found = await guest.examine!();
	Object.assign(evidence, found.evidence);
	return {verdict: found.verdict, message: [judged.message, found.words].filter(Boolean).join('\n')};
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
	const lines = console.slice(-excerptChars).trimEnd().split('\n');
	return lines.slice(Math.max(0, lines.length - 120)).join('\n');
}

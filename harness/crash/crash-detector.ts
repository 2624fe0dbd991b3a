// SPDX-License-Identifier: GPL-2.0
import {type Draft, type KernelReport, reportOf} from './crash-report.ts';
import {consequence, harmless, perhaps, type Signature, signatures} from './crash-signatures.ts';

/** So much of a report is kept as text. */
const maxTextLines = 200;
/** So much is read: the trace that counts comes after the history of all locks. */
const maxLines = 600;
const maxReports = 50;
/** A message before a report is followed by it within so many lines. */
const announcedLines = 20;
/** Prefix of a kernel log record: level, time stamp, and the task or CPU that printed it. */
const prefix = /^(?:.*?(?:<\d+>)?(?=\[ *\d+\.\d+\])(\[ *\d+\.\d+\])(?:\[ *([TC]\d+)\])?|<\d+>)? ?/;
const cut = /^-+\[ cut here \]-+/;
const end = /^---\[ end (?:trace|Kernel panic)/;
const ruler = /^={60,}$/;
const mark = /probe-matrix: ((?:begin|end) .*)$/;
/** Another CPU prints about itself for the report that asked it to. */
const asked = /^NMI backtrace for cpu/;

type Cut = {lines: string[]; raw: string[]};

/**
 * Finds kernel reports in console output, line by line. A report begins with a line of crash-signatures.ts and takes
 * the lines that follow. If lines tell which task or CPU has printed them, reports of several CPUs at once are kept
 * apart by that. If not, a report that begins inside another one takes all lines from there on.
 */
export class CrashDetector {
	readonly #drafts: Draft[] = [];
	readonly #open = new Map<string, Draft>();
	/** By printer: lines since a `cut here` marker, while it is unknown which report they begin. */
	readonly #cut = new Map<string, Cut>();
	#mark: string | undefined;
	#hasStamps = false;

	/** All reports so far, in the order in which they began. */
	get reports(): readonly KernelReport[] {
		return this.#drafts.map(reportOf);
	}

	get count(): number {
		return this.#drafts.length;
	}

	/** Whether a report seems to be still in progress. */
	get isInReport(): boolean {
		return this.#cut.size > 0 || this.#open.size > 0;
	}

	push(raw: string): void {
		const [before, stamp, printer = ''] = prefix.exec(raw)!;
		const line = raw.slice(before.length).trimEnd();
		if (stamp !== undefined) this.#hasStamps = true;
		const marked = mark.exec(line);
		if (marked) {
			this.#mark = marked[1];
			return;
		}
		if (cut.test(line)) {
			if (!this.#isAnnounced(printer)) this.#close(printer);
			this.#cut.set(printer, {lines: [line], raw: [raw]});
			return;
		}
		const found = perhaps.test(line) ? beginning(line, stamp !== undefined || !this.#hasStamps) : undefined;
		if (asked.test(line)) this.#join(printer);
		if (found) this.#begin(line, raw, printer, found);
		else this.#continue(line, raw, printer);
	}

	#begin(
		line: string,
		raw: string,
		printer: string,
		{signature, match}: {signature: Signature; match: RegExpExecArray},
	): void {
		const last = this.#drafts.findLast(draft => draft.printer === printer) ?? this.#drafts.at(-1);
		if (last && consequence.test(line)) {
			last.hasPanicked = true;
			// Better than nothing: what came before this panic was lost.
			last.signature ??= signature;
			last.match ??= match;
			this.#take(last, line, raw);
			return;
		}
		const open = this.#openOf(printer);
		const before = this.#cut.get(printer);
		if (open && (signature.isBanner || announces(open, line) || isRepeated(open, signature))) {
			if (before) this.#takeCut(open, before, printer);
			this.#take(open, line, raw);
			return;
		}
		this.#cut.delete(printer);
		this.#draft(printer, signature, match, {
			lines: [...(before?.lines ?? []), line],
			raw: [...(before?.raw ?? []), raw],
		});
	}

	#continue(line: string, raw: string, printer: string): void {
		const begun = this.#cut.get(printer);
		const open = this.#openOf(printer);
		if (begun) {
			begun.lines.push(line);
			begun.raw.push(raw);
			// The line that names the problem is missing.
			if (begun.lines.length > 5 || end.test(line)) this.#giveUp(printer, begun);
		} else if (open) this.#take(open, line, raw);
		// The beginning is missing. Ignore the end of a report that exceeded maxLines.
		else if (end.test(line) && (this.#drafts.at(-1)?.lines.length ?? 0) < maxLines)
			this.#giveUp(printer, {lines: ['', 'its beginning was lost', line], raw: [raw]});
	}

	/** The report that a line of this printer belongs to. */
	#openOf(printer: string): Draft | undefined {
		const own = this.#open.get(printer);
		if (own) return own;
		const last = this.#drafts.at(-1);
		const isMaybe = last && (printer === '' || last.printer === '') && this.#open.get(last.printer) === last;
		return isMaybe ? last : undefined;
	}

	#join(printer: string): void {
		const last = this.#drafts.at(-1);
		if (last && this.#open.get(last.printer) === last && !this.#open.has(printer)) this.#open.set(printer, last);
	}

	#giveUp(printer: string, {lines, raw}: Cut): void {
		this.#cut.delete(printer);
		this.#draft(printer, undefined, undefined, {lines, raw});
		if (end.test(lines.at(-1)!)) this.#close(printer);
	}

	#draft(
		printer: string,
		signature: Signature | undefined,
		match: RegExpExecArray | undefined,
		{lines, raw}: Cut,
	): void {
		this.#close(printer);
		if (this.#drafts.length >= maxReports) return;
		const draft = {printer, signature, match, lines, raw, mark: this.#mark, hasPanicked: false};
		// Without printers, lines of two CPUs cannot be told apart.
		if (printer === '') this.#open.clear();
		this.#drafts.push(draft);
		this.#open.set(printer, draft);
	}

	#close(printer: string): void {
		const closed = this.#open.get(printer);
		// A CPU that was asked begins a report of its own: the one that it was asked for goes on.
		if (closed && closed.printer !== printer) this.#open.delete(printer);
		else for (const [of, draft] of this.#open) if (draft === closed) this.#open.delete(of);
	}

	#take(draft: Draft, line: string, raw: string): void {
		draft.lines.push(line);
		if (draft.raw.length < maxTextLines) draft.raw.push(raw);
		const {length} = draft.lines;
		if (end.test(line) || length >= maxLines || (ruler.test(line) && length > 12)) this.#close(draft.printer);
	}

	#takeCut(draft: Draft, {lines, raw}: Cut, printer: string): void {
		this.#cut.delete(printer);
		draft.lines.push(...lines);
		draft.raw.push(...raw);
	}

	#isAnnounced(printer: string): boolean {
		const open = this.#openOf(printer);
		return open?.signature?.announces !== undefined && open.lines.length <= announcedLines;
	}
}

/** All reports in a piece of console output. */
export function findKernelReports(console: string): readonly KernelReport[] {
	const detector = new CrashDetector();
	for (const line of console.split('\n')) detector.push(line);
	return detector.reports;
}

function beginning(line: string, isOfKernel: boolean): {signature: Signature; match: RegExpExecArray} | undefined {
	if (harmless.some(pattern => pattern.test(line))) return undefined;
	for (const signature of signatures) {
		const match = !signature.isVague || isOfKernel ? signature.pattern.exec(line) : null;
		if (match) return {signature, match};
	}
	return undefined;
}

/** A refcount warning prints its own message before the WARNING line; both belong to one report. */
function announces({signature, lines}: Draft, line: string): boolean {
	const announced = signature?.announces;
	if (!announced || lines.length > announcedLines) return false;
	return announced.test(line) && !lines.some(earlier => announced.test(earlier));
}

/** A symbolizer that knows inlined functions repeats the line for each of them. */
function isRepeated(open: Draft, signature: Signature): boolean {
	return open.signature === signature && /\[inline\]/.test(open.lines.at(-1)!);
}

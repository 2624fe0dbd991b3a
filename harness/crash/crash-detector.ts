// SPDX-License-Identifier: GPL-2.0
import {type Draft, type KernelReport, reportOf} from './crash-report.ts';
import {consequence, harmless, perhaps, type Signature, signatures} from './crash-signatures.ts';

const maxLines = 200;
const maxReports = 50;
/** Prefix of a kernel log record: level, time stamp, and the task or CPU that printed it. */
const prefix = /^(?:.* login: )?(?:<\d+>)?(?:\[ *\d+\.\d+\])?(?:\[ *[TC]\d+\])? ?/;
const cut = /^-+\[ cut here \]-+/;
const end = /^---\[ end (?:trace|Kernel panic)/;
const ruler = /^={60,}$/;
const mark = /probe-matrix: ((?:begin|end) .*)$/;

/**
 * Finds kernel reports in console output, line by line. A report begins with a line of crash-signatures.ts and takes
 * the lines that follow. A report that begins inside another one takes all lines from there on, because lines of two
 * CPUs that print at once cannot be told apart.
 */
export class CrashDetector {
	readonly #drafts: Draft[] = [];
	#mark: string | undefined;
	/** Lines since a `cut here` marker, while it is unknown which report they begin. */
	#cut: {lines: string[]; raw: string[]} | undefined;

	/** All reports so far, in the order in which they began. */
	get reports(): readonly KernelReport[] {
		return this.#drafts.map(reportOf);
	}

	get count(): number {
		return this.#drafts.length;
	}

	/** Whether a report seems to be still in progress. */
	get isInReport(): boolean {
		return this.#cut !== undefined || this.#open !== undefined;
	}

	push(raw: string): void {
		const line = raw.replace(prefix, '').trimEnd();
		const marked = mark.exec(line);
		if (marked) {
			this.#mark = marked[1];
			return;
		}
		if (cut.test(line)) {
			this.#cut = {lines: [line], raw: [raw]};
			return;
		}
		const found = perhaps.test(line) ? beginning(line) : undefined;
		if (found) this.#begin(line, raw, found);
		else this.#continue(line, raw);
	}

	#begin(line: string, raw: string, {signature, match}: {signature: Signature; match: RegExpExecArray}): void {
		const last = this.#drafts.at(-1);
		if (last && consequence.test(line)) {
			last.hasPanicked = true;
			this.#take(last, line, raw);
			return;
		}
		if (this.#open && (signature.isBanner || isSame(this.#open, signature))) {
			this.#take(this.#open, line, raw);
			return;
		}
		if (this.#open) this.#open.isClosed = true;
		const before = this.#cut;
		this.#cut = undefined;
		if (this.#drafts.length >= maxReports) return;
		this.#drafts.push({
			signature,
			match,
			lines: [...(before?.lines ?? []), line],
			raw: [...(before?.raw ?? []), raw],
			mark: this.#mark,
			hasPanicked: false,
			isClosed: false,
		});
	}

	#continue(line: string, raw: string): void {
		if (this.#cut) {
			this.#cut.lines.push(line);
			this.#cut.raw.push(raw);
			// The line that names the problem is missing.
			if (this.#cut.lines.length > 5 || end.test(line)) this.#giveUpCut();
			return;
		}
		if (this.#open) this.#take(this.#open, line, raw);
		// The beginning is missing. Ignore the end of a report that exceeded maxLines.
		else if (end.test(line) && (this.#drafts.at(-1)?.lines.length ?? 0) < maxLines) {
			this.#cut = {lines: ['', 'its beginning was lost', line], raw: [raw]};
			this.#giveUpCut();
		}
	}

	#giveUpCut(): void {
		const before = this.#cut!;
		this.#cut = undefined;
		if (this.#drafts.length >= maxReports) return;
		this.#drafts.push({
			signature: undefined,
			match: undefined,
			...before,
			mark: this.#mark,
			hasPanicked: false,
			isClosed: end.test(before.lines.at(-1)!),
		});
	}

	#take(draft: Draft, line: string, raw: string): void {
		draft.lines.push(line);
		draft.raw.push(raw);
		draft.isClosed = end.test(line) || draft.lines.length >= maxLines || (ruler.test(line) && draft.lines.length > 12);
	}

	get #open(): Draft | undefined {
		const last = this.#drafts.at(-1);
		return last?.isClosed === false ? last : undefined;
	}
}

/** All reports in a piece of console output. */
export function findKernelReports(console: string): readonly KernelReport[] {
	const detector = new CrashDetector();
	for (const line of console.split('\n')) detector.push(line);
	return detector.reports;
}

function beginning(line: string): {signature: Signature; match: RegExpExecArray} | undefined {
	if (harmless.some(pattern => pattern.test(line))) return undefined;
	for (const signature of signatures) {
		const match = signature.pattern.exec(line);
		if (match) return {signature, match};
	}
	return undefined;
}

/** A refcount warning prints its own message before the WARNING line; both belong to one report. */
function isSame(open: Draft, signature: Signature): boolean {
	const {lines} = open;
	return (
		signature.kind === 'warning' &&
		open.signature?.kind === 'warning' &&
		lines.length <= 3 &&
		!lines.some(line => line.startsWith('WARNING: '))
	);
}

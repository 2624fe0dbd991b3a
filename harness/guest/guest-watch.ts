// SPDX-License-Identifier: GPL-2.0
import {setTimeout as sleep} from 'node:timers/promises';
import {CrashDetector} from '../crash/crash-detector.ts';
import type {KernelReport} from '../crash/crash-report.ts';
import type {Guest} from './guest.ts';

const watches = new WeakMap<Guest, GuestWatch>();
/** A report whose location is known is complete at its end marker, or after this long without output. */
const quietMs = 250;
/** The same without a location: the kernel may still have to ask another CPU by NMI. */
const placelessMs = 1200;
const reportMs = 2000;

/** Follows the kernel reports of one guest for as long as it lives. */
export class GuestWatch {
	/** How many reports have been assigned to a cell, and the console position up to which they were read. */
	judged: {reports: number; console: number};
	readonly #detector: CrashDetector;
	readonly #listeners = new Set<() => void>();
	#broken: {readonly error: unknown} | undefined;
	#lastLineAt = performance.now();

	static of(guest: Guest, detector: () => CrashDetector = () => new CrashDetector()): GuestWatch {
		const known = watches.get(guest);
		if (known) return known;
		const watch = new GuestWatch(guest.console, detector());
		watches.set(guest, watch);
		return watch;
	}

	private constructor(console: Guest['console'], detector: CrashDetector) {
		this.#detector = detector;
		this.judged = {reports: 0, console: console.end};
		for (const line of console.text.split('\n').slice(0, -1)) this.#push(line);
		console.onLine(line => this.#push(line));
	}

	/** Reports that have not been assigned to a cell. */
	get reports(): readonly KernelReport[] {
		return this.#detector.reports.slice(this.judged.reports);
	}

	/** The detector threw: from then on no statement about this guest can be trusted. */
	get broken(): {readonly error: unknown} | undefined {
		return this.#broken;
	}

	/**
	 * Calls `listener` on each unassigned report and when the detector throws; at once if that has happened already.
	 */
	onTrouble(listener: () => void): Disposable {
		this.#listeners.add(listener);
		if (this.#isTroubled) listener();
		return {[Symbol.dispose]: () => this.#listeners.delete(listener)};
	}

	/** Resolves when the report in progress is complete, or no more of it comes. */
	async settled(console: Guest['console']): Promise<void> {
		const until = performance.now() + reportMs;
		for (;;) {
			await console.refresh().catch(() => {});
			const now = performance.now();
			const isPlaced = (this.#detector.reports.at(-1)?.frames.length ?? 0) > 0;
			if (!this.#detector.isInReport || now > until) return;
			if (now - this.#lastLineAt > (isPlaced ? quietMs : placelessMs)) return;
			await sleep(25);
		}
	}

	/** Marks all reports so far as assigned. */
	settle(console: Guest['console']): void {
		this.judged = {reports: this.#detector.count, console: console.end};
	}

	/** Leaks do not interrupt a cell: the scan that reports them is still running and may find more. */
	get #isTroubled(): boolean {
		return this.#broken !== undefined || this.reports.some(({kind}) => kind !== 'leak');
	}

	#push(line: string): void {
		this.#lastLineAt = performance.now();
		const before = this.#detector.count;
		try {
			this.#detector.push(line);
		} catch (error) {
			this.#broken ??= {error};
		}
		if ((this.#detector.count > before || this.#broken) && this.#isTroubled)
			for (const listener of this.#listeners) listener();
	}
}

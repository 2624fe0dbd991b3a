import {setTimeout as sleep} from 'node:timers/promises';
import {CrashDetector} from '../crash/crash-detector.ts';
import type {KernelReport} from '../crash/crash-report.ts';
import type {Guest} from './guest.ts';

const watches = new WeakMap<Guest, GuestWatch>();
/** A report is complete when its end was said, or nothing more for so long, once it has said where. */
const quietMs = 250;
/** The same where it has not been said yet: another CPU has to be asked by NMI. */
const placelessMs = 1200;
const reportMs = 2000;

/** What the kernel of one guest complains about, followed for as long as the guest lives. */
export class GuestWatch {
	/** Reports that have been charged to a cell, and how much of the console was looked at with them. */
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

	/** Not yet charged. */
	get reports(): readonly KernelReport[] {
		return this.#detector.reports.slice(this.judged.reports);
	}

	/** The detector failed on something: no word about this guest can be trusted from then on. */
	get broken(): {readonly error: unknown} | undefined {
		return this.#broken;
	}

	/** Calls when a report begins that is not charged, or the detector fails; at once if that is so already. */
	onTrouble(listener: () => void): Disposable {
		this.#listeners.add(listener);
		if (this.#isTroubled) listener();
		return {[Symbol.dispose]: () => this.#listeners.delete(listener)};
	}

	/** Resolves when the report that is being printed is complete, or no more comes. */
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

	/** All reports so far have found their cell. */
	settle(console: Guest['console']): void {
		this.judged = {reports: this.#detector.count, console: console.end};
	}

	/** A leak is told by a scan, which is under way and has more to say. */
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

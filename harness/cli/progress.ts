import {stripVTControlCharacters} from 'node:util';
import {showStatus, writeAbove} from '../host/say.ts';
import {cellTitle} from '../results/run/cell-name.ts';
import type {CellEvent, EndedEvent, Event, KernelEvent} from '../results/run/events.ts';
import {kernelWords} from '../results/run/kernel-summary.ts';
import {formatCell, formatCounts} from '../results/run/table.ts';
import type {Verdict} from '../results/run/verdict.ts';
import {isGreen} from '../results/run/verdict.ts';
import {forJob} from './job-output.ts';

/** Shows events while a run goes on, on stderr. */
export type Progress = {show(event: Event): void; end(): void};

export function openProgress({cells, isTerminal}: {cells: number; isTerminal: boolean}): Progress {
	return isTerminal ? liveProgress(cells) : lineProgress(cells);
}

/**
 * A line for each finished cell: for CI and files. It comes when the case has ended; should the kernel complain after that,
 * another one follows.
 */
function lineProgress(cells: number): Progress {
	let finished = 0;
	/** Verdicts that were shown and are not final yet. */
	const shown = new Map<string, Verdict>();
	const showCell = (cell: EndedEvent | CellEvent) => {
		const number = String(++finished).padStart(String(cells).length);
		process.stderr.write(`${number}/${Math.max(cells, finished)} ${formatCell(cell)}\n`);
	};
	return {
		show(event) {
			if (event.type === 'kernel') {
				const line = `${event.kernel}: ready after ${event.bootMs} ms, Linux ${event.release}\n`;
				// What a guest said before it failed may be part of the reason.
				process.stderr.write(event.state === 'ready' ? line : forJob(`${failureLine(event)}\n`));
				finished += event.notRun ?? 0;
			}
			if (event.type === 'pushed')
				process.stderr.write(`${event.kernel}: pushed ${formatBytes(event.bytes)} in ${event.ms} ms\n`);
			if (event.type === 'ended') {
				showCell(event);
				shown.set(keyOf(event), event.verdict);
			}
			if (event.type === 'cell') {
				const before = shown.get(keyOf(event));
				shown.delete(keyOf(event));
				if (before === event.verdict) return;
				if (before !== undefined) finished--;
				showCell(event);
			}
		},
		end() {},
	};
}

function keyOf(cell: EndedEvent | CellEvent): string {
	return `${cell.kernel} ${cellTitle(cell)} ${cell.repeat}`;
}

/** One line that changes, and a line that stays for each cell that did not pass. */
function liveProgress(cells: number): Progress {
	const finished: CellEvent[] = [];
	let notRun = 0;
	/** Which kernel each is run on. */
	const running = new Map<string, string>();
	return {
		show(event) {
			if (event.type === 'started') running.set(cellTitle(event), event.kernel);
			if (event.type === 'kernel' && event.state !== 'ready') {
				notRun += event.notRun ?? 0;
				for (const [title, kernel] of running) if (kernel === event.kernel) running.delete(title);
				writeAbove(forJob(`${failureLine(event)}\n`));
			}
			if (event.type === 'cell') {
				running.delete(cellTitle(event));
				finished.push(event);
				if (!isGreen(event)) writeAbove(`${formatCell(event)}\n`);
			}
			// Until the first cell begins there is what is downloaded and built.
			if (running.size > 0 || finished.length > 0) {
				const counts = formatCounts(finished, notRun);
				showStatus(fit(`${finished.length + notRun}/${cells} ${counts}`, [...running.keys()]));
			}
		},
		end() {
			showStatus(undefined);
		},
	};
}

/** In one line; the rest of what is known comes with the failures. */
function failureLine({kernel, state, reason = '', notRun = 0}: KernelEvent): string {
	return `${kernel}: ${state}: ${kernelWords({reason, notRun})}`;
}

function formatBytes(bytes: number): string {
	return `${(bytes / 1e6).toFixed(1)} MB`;
}

/** As many of the names as the terminal's width has room for: a line that wraps makes the display jump. */
function fit(start: string, names: readonly string[]): string {
	let room = (process.stderr.columns ?? 80) - stripVTControlCharacters(start).length - 4;
	const shown = names.filter(name => {
		room -= name.length + 1;
		return room >= 0;
	});
	return [start, ...shown].join(' ');
}

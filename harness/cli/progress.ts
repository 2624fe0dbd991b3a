// SPDX-License-Identifier: GPL-2.0
import {stripVTControlCharacters} from 'node:util';
import {showStatus, writeAbove} from '../host/say.ts';
import {cellTitle} from '../results/run/cell-name.ts';
import type {CellEvent, CellName, EndedEvent, Event, KernelEvent} from '../results/run/events.ts';
import {kernelWords} from '../results/run/kernel-summary.ts';
import {formatCell, formatCounts} from '../results/run/table.ts';
import type {Verdict} from '../results/run/verdict.ts';
import {isGreen} from '../results/run/verdict.ts';
import {forJob} from './job-output.ts';

/** Shows the events of a run on stderr. */
export type Progress = {show(event: Event): void; end(): void};

export function openProgress({cells, isTerminal}: {cells: number; isTerminal: boolean}): Progress {
	return isTerminal ? liveProgress(cells) : lineProgress(cells);
}

/**
 * A line per finished cell, for CI and files. It is printed when the case ends; if a late kernel report changes the
 * verdict, another one follows.
 */
function lineProgress(cells: number): Progress {
	let finished = 0;
	/** Verdicts that were shown but may still change. */
	const shown = new Map<string, Verdict>();
	const showCell = (cell: EndedEvent | CellEvent) => {
		const number = String(++finished).padStart(String(cells).length);
		process.stderr.write(`${number}/${Math.max(cells, finished)} ${formatCell(cell)}\n`);
	};
	return {
		show(event) {
			if (event.type === 'kernel') {
				const line = `${event.kernel}: ready after ${event.bootMs} ms, Linux ${event.release}\n`;
				// The reason may quote the guest's console.
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

function keyOf(cell: CellName & {readonly repeat: number}): string {
	return `${cell.kernel} ${cellTitle(cell)} ${cell.repeat}`;
}

/** A status line that is updated, and a permanent line for each cell that did not pass. */
function liveProgress(cells: number): Progress {
	const finished: CellEvent[] = [];
	let notRun = 0;
	/** Running cells: several kernels may run the same case. */
	const running = new Map<string, CellName>();
	return {
		show(event) {
			if (event.type === 'started') running.set(keyOf(event), event);
			if (event.type === 'kernel' && event.state !== 'ready') {
				notRun += event.notRun ?? 0;
				for (const [key, {kernel}] of running) if (kernel === event.kernel) running.delete(key);
				writeAbove(forJob(`${failureLine(event)}\n`));
			}
			if (event.type === 'cell') {
				running.delete(keyOf(event));
				finished.push(event);
				if (!isGreen(event)) writeAbove(`${formatCell(event)}\n`);
			}
			// Before the first cell, downloads and builds print their own lines.
			if (running.size > 0 || finished.length > 0) {
				const counts = formatCounts(finished, notRun);
				showStatus(fit(`${finished.length + notRun}/${cells} ${counts}`, [...running.values()].map(cellTitle)));
			}
		},
		end() {
			showStatus(undefined);
		},
	};
}

/** A single line; details come with the failures at the end. */
function failureLine({kernel, state, reason = '', notRun = 0}: KernelEvent): string {
	return `${kernel}: ${state}: ${kernelWords({reason, notRun})}`;
}

function formatBytes(bytes: number): string {
	return `${(bytes / 1e6).toFixed(1)} MB`;
}

/** Takes as many names as fit: a status line that wraps cannot be erased. */
function fit(start: string, names: readonly string[]): string {
	let room = (process.stderr.columns ?? 80) - stripVTControlCharacters(start).length - 4;
	const shown = names.filter(name => {
		room -= name.length + 1;
		return room >= 0;
	});
	return [start, ...shown].join(' ');
}

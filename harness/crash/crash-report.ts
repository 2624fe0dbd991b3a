// SPDX-License-Identifier: GPL-2.0
import type {ReportKind, Signature} from './crash-signatures.ts';
import {findGuilty, nameOf, rules} from './guilty.ts';
import {readFrame} from './trace.ts';

export type KernelReport = {
	/** What and where, for example `KASAN: slab-out-of-bounds write in ring_write [ring]`. */
	readonly title: string;
	readonly kind: ReportKind;
	/** Where it happened and the calls that led there, innermost first: `ring_oops+0x7/0x20 [ring]`. */
	readonly frames: readonly string[];
	/** The task that was running; of a hung task or a leak, that task. */
	readonly task?: string;
	/** Printed from an interrupt or a kernel thread: the cause may be much older. */
	readonly isAsynchronous: boolean;
	/** The kernel panicked because of it. */
	readonly hasPanicked: boolean;
	/** The lines of the report. */
	readonly text: string;
	/** The last cell mark before it: `begin NAME` or `end NAME`. */
	readonly mark?: string;
};

/** A report that may get more lines. */
export type Draft = {
	/** The task or CPU that prints it; empty if the lines do not say. */
	readonly printer: string;
	signature: Signature | undefined;
	match: RegExpExecArray | undefined;
	readonly lines: string[];
	readonly raw: string[];
	readonly mark: string | undefined;
	hasPanicked: boolean;
};

/** The report from the lines so far. */
export function reportOf(draft: Draft): KernelReport {
	const {signature, lines} = draft;
	const kind = signature?.kind ?? 'warning';
	const beginnings = lines.filter(line => signature?.pattern.test(line));
	const first = beginnings.find(line => readFrame(line)) ?? beginnings[0] ?? '';
	const {frames, guilty} = findGuilty(rules[signature?.rule ?? 'warning'], first, lines);
	const isPlaced = guilty !== undefined && !signature?.isWhole;
	const what = whatOf(draft, isPlaced);
	const task = taskOf(lines);
	return {
		title: isPlaced && !what.includes(' / ') ? `${what} in ${nameOf(guilty)}` : what,
		kind,
		frames: frames.slice(0, 8).map(({text}) => text),
		...(task !== undefined && {task}),
		isAsynchronous: isAsynchronous(kind, lines, task),
		hasPanicked: draft.hasPanicked || kind === 'panic',
		text: draft.raw.join('\n'),
		...(draft.mark !== undefined && {mark: draft.mark}),
	};
}

function whatOf({signature, match, lines}: Draft, isPlaced: boolean): string {
	if (!signature || !match) return `WARNING: ${lines[1] ?? 'cut off'}`;
	const name = (!isPlaced && signature.placeless) || signature.title;
	const what = name?.(match) ?? match[0].trim();
	// KASAN names the access in a line of its own.
	const access = /^(Read|Write) of size/.exec(lines.find(line => /^(?:Read|Write) of size/.test(line)) ?? '');
	return access && what.startsWith('KASAN') ? `${what} ${access[1]!.toLowerCase()}` : what;
}

/** A task that hangs, or that has allocated, is not the one that runs. */
function taskOf(lines: readonly string[]): string | undefined {
	for (const pattern of [/INFO: task (\S+):\d+ /, /\bComm: (\S+)/, /^ *comm "([^"]*)", pid/]) {
		const found = lines.map(line => pattern.exec(line)?.[1]).find(name => name !== undefined);
		if (found !== undefined) return found;
	}
	return undefined;
}

function isAsynchronous(kind: ReportKind, lines: readonly string[], task: string | undefined): boolean {
	if (kind === 'stall') return false;
	if (task !== undefined && /^(?:kworker|ksoftirqd|rcu|swapper|migration|khungtaskd|kmemleak)/.test(task)) return true;
	return lines.some(line => /^\s*<(?:IRQ|SOFTIRQ)>/.test(line) || line.startsWith('Workqueue: '));
}

// SPDX-License-Identifier: GPL-2.0
import {isAllocator, isHelper, isReporting, plainName} from './machinery.ts';
import {stalledAt} from './stalled.ts';
import {type Frame, readFrame, readTraceLine, type TraceLine} from './trace.ts';

/** Where a report tells what went wrong. */
type Place =
	/** The function that the first line names. */
	| 'title'
	/** RIP of the kernel; if that points to no function, the frame that called there. */
	| 'registers'
	/** The first trace of the report. */
	| 'trace'
	/** Where a lock is being taken or released, or was taken that is in memory being freed. */
	| 'lock'
	/** Where the lock was taken that is still held. */
	| 'held'
	/** `last function: …` of a workqueue. */
	| 'last function';

export type Rule = {
	/** In this order; the first frame that is not machinery is guilty. */
	readonly look: readonly Place[];
	/** The trace begins after this line; if the line is missing, with the report. */
	readonly after?: RegExp;
	/** What follows is the past of the object or of the lock, not what happened now. */
	readonly until?: RegExp;
	/** Names that are machinery in reports of this sort only. */
	readonly also?: (name: string) => boolean;
	/** The check is about what its direct caller does, helper or not. */
	readonly isDirect?: true;
	/** Where a CPU happens to be is chance: see stalled.ts. */
	readonly isStall?: true;
};

/** Where the guilty frame of each sort of report is looked for. Why: at each. */
export const rules = {
	/** An exception: RIP is where it happened, and the trace begins with RIP's caller. */
	exception: {look: ['registers', 'trace'], after: /^\s*Call Trace:/},
	/** The line of a warning names its function, except where inlining or 6.19 has left only a file. */
	warning: {look: ['title', 'registers', 'trace'], after: /^\s*Call Trace:/},
	/** What names its function itself; the trace is there because it may name a helper. The past of the object follows. */
	sanitizer: {
		look: ['title', 'trace'],
		// KFENCE has a headline of its own, and other traces after that.
		after: /^\s*Call [Tt]race:|^(?:Use-after-free|Out-of-bounds|Invalid|Corrupted memory) .*0x[\da-f]+/,
		until: /^(?:(?:Allocated|Freed) by|Uninit was|Local variable|The buggy address|Memory state|Last potentially)/,
	},
	/** Two traces, neither after a headline; the first is that of the access that found the other one. */
	race: {look: ['title', 'trace']},
	/** Traces of earlier acquisitions come first. Only the last one is of now. */
	lockdep: {look: ['trace', 'lock'], after: /^\s*(?:stack backtrace|Call Trace):/},
	/** A task waits in the function that its caller has chosen for waiting. */
	waiting: {look: ['trace'], after: /^\s*Call [Tt]race:/, also: name => /(?:^|_)wait(?:_|$)/.test(name)},
	/** Registers are those of the last entry into the kernel, and `Preemption disabled at:` is the past. */
	trace: {look: ['title', 'trace'], after: /^\s*Call [Tt]race:/},
	/** Of a message before the report; its line names no function. */
	announced: {look: ['registers', 'trace'], after: /^\s*Call [Tt]race:/},
	/** The lock is still held: whoever took it is guilty, not who notices. */
	held: {look: ['held', 'trace']},
	/** The first trace is where an interrupt took a lock that others take with interrupts on. */
	interruptible: {look: ['trace', 'lock']},
	/** Whoever took the lock should have kept the memory, or released the lock. */
	freed: {look: ['lock', 'trace'], after: /^\s*(?:stack backtrace|Call Trace):/},
	/** The work has returned, so its function is in no trace. */
	workqueue: {look: ['last function', 'trace']},
	/** A recursion that is too deep hits the end of the stack by chance. */
	overflow: {look: [], isStall: true},
	/** A name or an address; without a name, who called the check. */
	stack: {look: ['title', 'trace'], after: /^\s*Call [Tt]race:/},
	/** The object was allocated here; nobody knows who should have freed it. */
	leak: {look: ['trace'], after: /^\s*backtrace\b.*:/, also: isAllocator},
	/** Where a stall is caught is chance. */
	stall: {look: [], isStall: true},
	/** Helpers may not use per-CPU data in preemptible code, either. */
	preemptible: {look: ['trace'], after: /^\s*Call [Tt]race:/, isDirect: true},
} as const satisfies Record<string, Rule>;

/** What RIP points to is not code, whatever its name is: the call that went there is wrong. */
const isFetch = /supervisor instruction fetch in kernel mode|tried to execute NX-protected page/;

/** The frames of a report, innermost first, and the one that the title names. */
export function findGuilty(
	rule: Rule,
	first: string,
	lines: readonly string[],
): {frames: readonly Frame[]; guilty?: Frame} {
	const trace = traceOf(rule, lines).filter(({isRegister}) => !isRegister);
	if (rule.isStall) return stalledAt(lines.map(readTraceLine));
	const found: Frame[] = [];
	for (const place of rule.look) {
		if (place === 'title') {
			// `at FILE:LINE FUNCTION`: a file may look like a function.
			const frame = readFrame(first);
			if (frame) found.push(frame);
		} else if (place === 'registers') {
			const register = lines.map(readTraceLine).find(({isRegister}) => isRegister);
			if (register?.frame && !lines.some(line => isFetch.test(line))) found.push(register.frame);
		} else if (place === 'lock') {
			const at = lines.findIndex(line =>
				/is trying to (?:acquire|release)|\btakes:|with a lock still held there/.test(line),
			);
			const frame =
				at < 0
					? undefined
					: lines
							.slice(at, at + 3)
							.map(line => readFrame(line.replace(/.*\bat: /, '')))
							.find(Boolean);
			if (frame) found.push(frame);
		} else if (place === 'held') {
			const held = lines.find(line => /^\s*#\d+: .*\bat: /.test(line));
			const frame = held && readFrame(held.replace(/.*\bat: /, ''));
			if (frame) found.push(frame);
		} else if (place === 'last function') {
			const name = lines.map(line => /last function: (\w+)/.exec(line)?.[1]).find(Boolean);
			if (name) found.push({text: name, name});
		} else found.push(...trace.flatMap(({frame}) => frame ?? []));
	}
	// The unwinder cannot begin where no code is. The last call is on the stack all the same.
	if (found.length === 0) found.push(...trace.flatMap(({leftover}) => leftover ?? []));
	const frames = found
		.filter(({name}) => !isReporting(name))
		.filter((frame, index, all) => all.findIndex(({text}) => text === frame.text) === index);
	const isInnocent = (name: string) => !rule.isDirect && (isHelper(name) || rule.also?.(name));
	return {frames, guilty: frames.find(({name}) => !isInnocent(name)) ?? frames[0] ?? found[0]};
}

/** For example `ring_oops [ring]`. */
export function nameOf({name, module}: Frame): string {
	return module ? `${plainName(name)} [${module}]` : plainName(name);
}

function traceOf({after, until}: Rule, lines: readonly string[]): readonly TraceLine[] {
	const begin = after ? lines.findIndex(line => after.test(line)) : -1;
	const rest = lines.slice(begin + 1);
	const end = until ? rest.findIndex(line => until.test(line)) : -1;
	return (end < 0 ? rest : rest.slice(0, end)).map(readTraceLine);
}

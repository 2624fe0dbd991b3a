// SPDX-License-Identifier: GPL-2.0
import type {ReportKind, Signature} from './crash-signatures.ts';

export type KernelReport = {
	/** What and where, for example `KASAN: slab-out-of-bounds write in ring_write [ring]`. */
	readonly title: string;
	readonly kind: ReportKind;
	/** Where it happened and the calls that led there, innermost first: `ring_oops+0x7/0x20 [ring]`. */
	readonly frames: readonly string[];
	/** The task that was running. */
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
	signature: Signature | undefined;
	match: RegExpExecArray | undefined;
	readonly lines: string[];
	readonly raw: string[];
	readonly mark: string | undefined;
	hasPanicked: boolean;
	isClosed: boolean;
};

const frame = String.raw`(\w[\w.]*)\+(0x[\da-f]+)\/0x[\da-f]+(?: \[(\w+)(?: [\da-f]+)?\])?`;
const framePattern = new RegExp(frame);
const tracePattern = new RegExp(String.raw`^\s*(?:\[<[\da-f]+>\] )?(?:<\w+>\s+)?${frame}\s*$`);
const registerPattern = new RegExp(String.raw`\b(?:RIP: 0010|IP):(?:\[<[\da-f]+>\] )*\s*${frame}`);
/** Functions of the reporting, waiting and entry code, which are never the location of a bug. */
const machinery =
	/^(?:_*(?:dump_stack|show_stack|show_regs|print_|kasan_|asan_|warn|might_sleep|might_resched|schedule|cond_resched|lock_acquire|mutex_lock|kmalloc|kmem_cache|kmemleak|slab_|report_bug|handle_bug|exc_|asm_exc_|asm_sysvec|asm_common|sysvec_|do_error_trap|do_invalid_op|invalid_op|error_entry|lockdep_|mark_lock|check_|validate_chain|debug_|ubsan_|refcount_|delay|const_udelay|msleep|io_schedule|rcu_|nmi_|default_idle|native_|apic_|smp_|irq_|hrtimer_|update_process_times|tick_|update_curr|sched_show_task|trigger_)\w*|v?panic|schedule\w*|__warn\w*|set_track\w*|stack_trace_save\w*|save_stack\w*|end_report|__lock_acquire|arch_\w*backtrace\w*|kmemdup|process_timeout|bad_\w+|page_fault|async_page_fault|do_page_fault|no_context|oops_\w+|die\w*|kthread_\w+|ret_from_fork\w*|touch_\w+|preempt_count_\w+|preempt_schedule\w*|asm_\w+|kthread|worker_thread|process_one_work|invalid_wait_context|try_to_wake_up)(?:\.\w+)*$/;

/** The report from the lines so far. */
export function reportOf(draft: Draft): KernelReport {
	const {signature, lines} = draft;
	const kind = signature?.kind ?? 'warning';
	const frames = framesOf(draft);
	const where = frames[0] === undefined ? undefined : nameOf(frames[0]);
	const what = whatOf(draft);
	const task = /\bComm: (\S+)/.exec(lines.find(line => line.includes('Comm: ')) ?? '')?.[1];
	return {
		title: where === undefined || signature?.isWhole ? what : `${what} in ${where}`,
		kind,
		frames: frames.slice(0, 8),
		...(task !== undefined && {task}),
		isAsynchronous: isAsynchronous(kind, lines, task),
		hasPanicked: draft.hasPanicked || kind === 'panic',
		text: draft.raw.join('\n'),
		...(draft.mark !== undefined && {mark: draft.mark}),
	};
}

function whatOf({signature, match, lines}: Draft): string {
	if (!signature || !match) return `WARNING: ${lines[1] ?? 'cut off'}`;
	const what = signature.title?.(match) ?? match[0].trim();
	// KASAN names the access in a line of its own.
	const access = /^(Read|Write) of size/.exec(lines.find(line => /^(?:Read|Write) of size/.test(line)) ?? '');
	return access && what.startsWith('KASAN') ? `${what} ${access[1]!.toLowerCase()}` : what;
}

/** Location from the registers; without them, from the trace without functions of the reporting code. */
function framesOf({signature, lines}: Draft): readonly string[] {
	const first = lines.find(line => signature?.pattern.test(line)) ?? '';
	const inTitle = framePattern.exec(first.replace(/.* at (?=\S+\+0x)/, ''));
	const inRegisters = lines.map(line => registerPattern.exec(line)).find(found => found !== null);
	const inHeld =
		signature?.kind === 'lock' ? lines.map(line => /(?:, at: |at: )(.*)/.exec(line)?.[1]).find(Boolean) : undefined;
	const trace = signature?.kind === 'stall' ? outsideInterrupts(lines) : lines;
	const called = trace
		.map(line =>
			tracePattern
				.exec(line)?.[0]
				.trim()
				.replace(/^.*\] (?=\w+\+0x)|^<\w+>\s+/, ''),
		)
		.filter(line => line !== undefined);
	// A hung task was not running: the registers in its report are from its last kernel entry.
	const useRegisters = inRegisters && !/blocked for more|unreferenced|sleeping function|scheduling while/.test(first);
	const places = [
		...(inTitle && !machinery.test(inTitle[1]!) ? [inTitle[0]] : []),
		...(useRegisters && !machinery.test(inRegisters[1]!)
			? [inRegisters[0].replace(/^\w+:(?: 0010:|0010:)?\s*/, '').replace(/^0010:/, '')]
			: []),
		...(inHeld && framePattern.test(inHeld) ? [framePattern.exec(inHeld)![0]] : []),
		...called.filter(line => !machinery.test(framePattern.exec(line)![1]!)),
	];
	return places.filter((place, index) => place !== places[index - 1]);
}

/** A stall is reported by an interrupt; the location is outside of it. */
function outsideInterrupts(lines: readonly string[]): readonly string[] {
	let isInside = false;
	return lines.filter(line => {
		if (/^\s*<(?:IRQ|NMI)>/.test(line)) isInside = true;
		if (/^\s*<\/(?:IRQ|NMI)>/.test(line)) isInside = false;
		return !isInside;
	});
}

/** For example `ring_oops [ring]`, without compiler suffixes such as .isra. */
function nameOf(place: string): string {
	const [, name, , module] = framePattern.exec(place)!;
	const plain = name!.replace(/(?:\.(?:isra|constprop|part|cold|llvm)(?:\.\d+)?)+$/, '');
	return module ? `${plain} [${module}]` : plain;
}

function isAsynchronous(kind: ReportKind, lines: readonly string[], task: string | undefined): boolean {
	if (kind === 'stall') return false;
	if (task !== undefined && /^(?:kworker|ksoftirqd|rcu|swapper|migration|khungtaskd|kmemleak)/.test(task)) return true;
	return lines.some(line => /^\s*<(?:IRQ|SOFTIRQ)>/.test(line) || line.startsWith('Workqueue: '));
}

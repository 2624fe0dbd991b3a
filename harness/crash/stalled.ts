// SPDX-License-Identifier: GPL-2.0
import {isHelper, isReporting, plainName} from './machinery.ts';
import type {Frame, TraceLine} from './trace.ts';

/** An interrupt begins here: what is above it in a trace was interrupted. */
const interrupt =
	/^(?:asm_sysvec_\w+|sysvec_\w+|apic_timer_interrupt|smp_apic_timer_interrupt\w*|reschedule_interrupt|call_function\w*interrupt|ret_from_intr|common_interrupt|asm_common_interrupt|nmi|end_repeat_nmi|asm_exc_nmi|x86_platform_ipi|retint_\w+)$/;
/** A thread that waits for its turn, or a CPU that has nothing to do. */
const idle =
	/^(?:rcu_gp_kthread|rcu_gp_fqs_loop|rcu_gp_init|default_idle\w*|cpu_idle\w*|do_idle|cpu_startup_entry|native_safe_halt|acpi_idle_do_entry|cpuidle_\w+|arch_cpu_idle|mwait_idle|intel_idle)$/;
/** A CPU that waits for another one is that one's victim. */
const crossCall = /^(?:smp_call_function_?\w*|on_each_cpu\w*|generic_exec_single|csd_lock_wait)$/;

/**
 * What a function pointer is called from. Behind the innermost of them is the code that has the loop; everything
 * between that code and where the CPU was caught differs from time to time.
 */
const dispatchers: readonly (readonly [string, RegExp])[] = [
	[
		'system calls',
		/^(?:entry_\w+|do_syscall_\w+|do_fast_syscall\w*|do_int80\w*|sysenter_\w+|tracesys\w*|x64_sys_call|ia32_sys_call)$/,
	],
	[
		'threads and work',
		/^(?:ret_from_fork\w*|kthread|kthread_worker_fn|worker_thread|process_one_work|process_scheduled_works|rescuer_thread|smpboot_thread_fn|cpu_stopper_thread)$/,
	],
	[
		'work on the way to user space',
		/^(?:task_work_run|exit_task_work|exit_to_user\w*|prepare_exit_to_\w+|tracehook_\w+|resume_user_mode_work)$/,
	],
	[
		'files',
		/^_*(?:fput|vfs_(?:read|write|readv|writev|ioctl|iter_read|iter_write|fsync_range|poll)|do_vfs_ioctl|do_iter_\w+|do_readv_writev|do_loop_readv\w*|new_sync_\w+|do_dentry_open|compat_do_readv\w*|(?:compat_)?blkdev_\w*ioctl|\w*sys_ioctl|SyS_ioctl|compat_SyS_ioctl)$/,
	],
	[
		'sockets',
		/^_*(?:sock_(?:sendmsg\w*|recvmsg\w*|common_\w+|do_ioctl)|do_sock_\w+|sys_(?:set|get)sockopt|SYSC_(?:set|get)sockopt|SyS_(?:set|get)sockopt)$/,
	],
	['netlink', /^(?:rtnetlink_rcv_msg|nfnetlink_rcv\w*|genl_rcv_msg|genl_family_rcv_msg\w*|netlink_dump)$/],
	['packets', /^_*(?:net_rx_action|napi_poll|process_backlog|netif_receive_skb\w*|netif_rx\w*)$/],
	[
		'soft interrupts',
		/^_*(?:do_softirq\w*|handle_softirqs|run_ksoftirqd|local_bh_enable_ip|irq_exit\w*|invoke_softirq|tasklet_\w*action\w*|rcu_core\w*|rcu_process_callbacks|rcu_do_batch|invoke_rcu_\w+)$/,
	],
	['timers', /^_*(?:run_timer\w*|run_timers|expire_timers|call_timer_fn|hrtimer_run_\w+|run_hrtimer)$/],
	['interrupts', /^_*(?:handle_irq_event\w*|handle_irq|do_IRQ|common_interrupt)$/],
];
const isDispatcher = (name: string): boolean => dispatchers.some(([, pattern]) => pattern.test(name));

/**
 * Where a CPU is caught in a loop is chance. So a title names a function that is the same each time: the innermost one
 * of a module, because modules are what is under test; else the one that the innermost dispatcher called.
 */
export function stalledAt(lines: readonly TraceLine[]): {frames: readonly Frame[]; guilty?: Frame} {
	const contexts = tracesIn(lines)
		.map(interrupted)
		.filter(frames => frames.length > 0);
	const busy = contexts.filter(frames => !isIdle(frames));
	const frames = busy.find(some => anchorIn(some)) ?? busy[0] ?? [];
	return {frames, guilty: anchorIn(frames) ?? frames.findLast(({name}) => !isHelper(name)) ?? frames[0]};
}

/** What an interrupt does while the CPU had nothing to do is work. */
function isIdle(frames: readonly Frame[]): boolean {
	const at = dispatchedAt(frames);
	return frames.slice(0, at < 0 ? undefined : at).some(({name}) => idle.test(name));
}

/** Each trace with the registers before it. */
function tracesIn(lines: readonly TraceLine[]): readonly (readonly TraceLine[])[] {
	const traces: TraceLine[][] = [[]];
	for (const line of lines) {
		// `RIP` in the middle of a trace belongs to what was interrupted there.
		const isNext = line.isStart && traces.at(-1)!.some(({frame, isRegister}) => frame && !isRegister);
		if (isNext) traces.push([]);
		else if (line.frame || line.mark) traces.at(-1)!.push(line);
	}
	return traces;
}

/** The frames of what ran when the stall was noticed, without the interrupt that noticed it. */
function interrupted(lines: readonly TraceLine[]): readonly Frame[] {
	const first = lines.findIndex(({frame}) => frame && interrupt.test(frame.name.replace(/\..*/, '')));
	const head = lines.slice(0, first < 0 ? 0 : first + 1);
	// The interrupt is at the top only if what is above it is what notices stalls.
	const isNotice =
		first >= 0 &&
		head.every(({frame, isRegister}) => !frame || isRegister || isReporting(frame.name) || interrupt.test(frame.name));
	let rest = isNotice ? lines.slice(first + 1) : lines;
	while (rest[0] && (rest[0].mark || (rest[0].frame && interrupt.test(rest[0].frame.name)))) rest = rest.slice(1);
	const frames = rest.flatMap(({frame}) => frame ?? []);
	// Sanitizers and lock checkers are called from everywhere.
	const begin = frames.findIndex(({name}) => !isReporting(name));
	return begin < 0 ? [] : frames.slice(begin);
}

function anchorIn(frames: readonly Frame[]): Frame | undefined {
	const module = frames.find(frame => frame.module !== undefined);
	if (module) return module;
	const waiting = frames.find(({name}) => crossCall.test(plainName(name)));
	if (waiting) return waiting;
	const dispatched = dispatchedAt(frames);
	if (dispatched < 0) return undefined;
	const [inner, anchor] = [frames[dispatched - 2], frames[dispatched - 1]!];
	// An entry for 32-bit programs that only calls the other one.
	return inner && anchor.name.replace('compat_', '') === inner.name ? inner : anchor;
}

/** Index of the innermost dispatcher that has called something. */
function dispatchedAt(frames: readonly Frame[]): number {
	return frames.findIndex(({name}, index) => index > 0 && isDispatcher(name.replace(/\..*/, '')));
}

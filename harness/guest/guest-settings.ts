import type {AgentOps} from '../link/agent-protocol.ts';

const hungTaskInterval = '/proc/sys/kernel/hung_task_check_interval_secs';

/**
 * What is set in every guest once it is ready: files of its /proc and /sys, in this order; those that a kernel does not
 * have are left out.
 *
 * The kernel's own detectors speak before the engine gives up, the one that says most first: RCU stall, soft lockup, hung
 * task, and only then no answer. In a slow guest all of them wait longer.
 */
export function guestSettings(slowness: number): AgentOps['prepare']['in']['settings'] {
	const seconds = (ideal: number, most = 3600) => String(Math.min(most, Math.max(3, Math.ceil(ideal * slowness))));
	return [
		['/proc/sys/kernel/sysrq', '1'],
		['/sys/module/rcupdate/parameters/rcu_cpu_stall_timeout', seconds(4)],
		// A soft lockup is told after twice the threshold; more than 60 the kernel does not take.
		['/proc/sys/kernel/watchdog_thresh', seconds(3, 60)],
		// Without an interval of its own, in 4.15, the check comes once in the time-out and tells after up to twice of it.
		['/proc/sys/kernel/hung_task_timeout_secs', seconds(6)],
		[hungTaskInterval, '1'],
		['/proc/sys/kernel/hung_task_timeout_secs', seconds(9), hungTaskInterval],
	];
}

// SPDX-License-Identifier: GPL-2.0
import type {AgentOps} from '../link/agent-protocol.ts';

const hungTaskInterval = '/proc/sys/kernel/hung_task_check_interval_secs';

/**
 * Files of /proc and /sys to write in every ready guest, in this order. Files that a kernel lacks are skipped.
 *
 * The kernel's own detectors must report before the engine gives up, the most informative first: RCU stall, soft
 * lockup, hung task, and only then the engine's deadline. All of them scale with the guest's slowness.
 */
export function guestSettings(slowness: number): AgentOps['prepare']['in']['settings'] {
	const seconds = (ideal: number, most = 3600) => String(Math.min(most, Math.max(3, Math.ceil(ideal * slowness))));
	return [
		['/proc/sys/kernel/sysrq', '1'],
		['/sys/module/rcupdate/parameters/rcu_cpu_stall_timeout', seconds(4)],
		// A soft lockup is reported after twice the threshold; the kernel rejects more than 60.
		['/proc/sys/kernel/watchdog_thresh', seconds(3, 60)],
		// Linux 4.15 has no check interval: it checks once per timeout and reports after up to twice that time.
		['/proc/sys/kernel/hung_task_timeout_secs', seconds(6)],
		[hungTaskInterval, '1'],
		['/proc/sys/kernel/hung_task_timeout_secs', seconds(9), hungTaskInterval],
	];
}

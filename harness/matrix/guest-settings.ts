/**
 * What is set in every guest once it is ready. Until then only errors were printed, for a fast boot; from now on every
 * line is evidence, and marks must not be dropped when they come fast.
 *
 * The kernel's own detectors speak before the engine gives up, the one that says most first: RCU stall, soft lockup, hung
 * task, and only then no answer. In a slow guest all of them wait longer.
 */
export function guestSettings(slowness: number): string {
	const seconds = (ideal: number) => Math.max(3, Math.ceil(ideal * slowness));
	const settings: readonly (readonly [file: string, value: string | number])[] = [
		['/proc/sys/kernel/printk', 7],
		['/proc/sys/kernel/printk_devkmsg', 'on'],
		['/proc/sys/kernel/sysrq', 1],
		['/sys/module/rcupdate/parameters/rcu_cpu_stall_timeout', seconds(4)],
		// A soft lockup is told after twice the threshold.
		['/proc/sys/kernel/watchdog_thresh', seconds(3)],
		// Without the interval, in 4.15, it may take twice as long.
		['/proc/sys/kernel/hung_task_timeout_secs', seconds(6)],
		['/proc/sys/kernel/hung_task_check_interval_secs', 1],
	];
	const lines = settings.map(([file, value]) => `[ ! -w ${file} ] || echo ${value} > ${file}`);
	const longer = `[ ! -w /proc/sys/kernel/hung_task_check_interval_secs ] || echo ${seconds(9)} > /proc/sys/kernel/hung_task_timeout_secs`;
	return [...lines, longer, 'true'].join('\n');
}

/** Prints where the modules are, for `ModuleBases`. */
export const printModuleBases =
	'for name in bprobe fixtures; do echo "$name $(cat /sys/module/$name/sections/.text)"; done';

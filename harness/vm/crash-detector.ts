/** What a kernel's console says when it died or complains; wording of 4.15 and of later kernels. */
const titles: readonly RegExp[] = [
	/BUG: unable to handle .*/,
	/BUG: kernel NULL pointer dereference.*/,
	/BUG: unable to handle page fault.*/,
	/BUG: KASAN: .*/,
	/BUG: KFENCE: .*/,
	/BUG: KCSAN: .*/,
	/BUG: spinlock .*/,
	/BUG: scheduling while atomic.*/,
	/BUG: sleeping function called from invalid context.*/,
	/BUG: workqueue .*/,
	/BUG: stack guard page was hit.*/,
	/BUG: Invalid wait context.*/,
	/BUG: Bad .*/,
	/BUG: .* (?:Not tainted|Tainted)/,
	/kernel BUG at .*/,
	/general protection fault.*/,
	/(?:divide error|invalid opcode|stack segment|int3|double fault|alignment check): 0000.*/,
	/PANIC: .*/,
	/Oops: .*/,
	/Kernel panic - not syncing.*/,
	/WARNING: (?:CPU: \d+ PID: \d+ at|\S+:\d+ at) .*/,
	/WARNING: possible .*/,
	/WARNING: .*lock.*/,
	/WARNING: suspicious RCU usage.*/,
	/WARNING: (?:kernel stack|stack going|can't ).*/,
	/watchdog: BUG: soft lockup.*/,
	/Watchdog detected hard LOCKUP.*/,
	/INFO: rcu_\w+ .*stall.*/,
	/INFO: task .* blocked for more than.*/,
	/INFO: trying to register non-static key.*/,
	/UBSAN: .*/,
	/refcount_t: .*/,
	/list_(?:add|del) corruption.*/,
	/kmemleak: \d+ new suspected memory leaks.*/,
	/unregister_netdevice: waiting for .*/,
	/ODEBUG: .*/,
	/stack-protector: .*/,
	/Out of memory: .*/,
	/page allocation failure.*/,
];

/** Lines that look like one of the above and are none. */
const harmless: readonly RegExp[] = [
	/WARNING: Unprivileged eBPF is enabled/,
	/WARNING: You are running an unsupported configuration/,
	/INFO: lockdep is turned off/,
	/INFO: NMI handler .* took too long/,
	/traps: .* general protection/,
	/probe-matrix: /,
];

export type KernelReport = {
	/** The first line, without time stamp. */
	readonly title: string;
	/** From that line to the end of the text, at most 200 lines. */
	readonly text: string;
};

/** The first complaint of a kernel in a piece of console output, or nothing. */
export function findKernelReport(console: string): KernelReport | undefined {
	const lines = console.split('\n');
	for (const [index, raw] of lines.entries()) {
		const line = raw.replace(/^(?:<\d+>)?\[ *\d+\.\d+\](?:\[ *[TC]\d+\])? /, '');
		if (harmless.some(pattern => pattern.test(line))) continue;
		const match = titles.map(pattern => pattern.exec(line)).find(found => found !== null);
		if (match) return {title: match[0].trim(), text: lines.slice(index, index + 200).join('\n')};
	}
	return undefined;
}

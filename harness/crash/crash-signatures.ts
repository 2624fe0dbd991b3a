// SPDX-License-Identifier: GPL-2.0
/** What a report is about. After `stall` a guest no longer works as it should; `panic` ends it. */
export type ReportKind = 'panic' | 'oops' | 'warning' | 'sanitizer' | 'lock' | 'stall' | 'leak' | 'other';

/** A line that begins a report, in the wording of Linux 4.15 and of later kernels. */
export type Signature = {
	readonly kind: ReportKind;
	readonly pattern: RegExp;
	/** The title up to ` in FUNCTION`; default: the matched text. */
	readonly title?: (match: RegExpExecArray) => string;
	/** Belongs to the report that is being printed, if there is one. */
	readonly isBanner?: true;
	/** The line itself says where, without a function name. */
	readonly isWhole?: true;
};

/** In the order in which they are tried. */
export const signatures: readonly Signature[] = [
	{kind: 'sanitizer', pattern: /BUG: (KASAN|KFENCE|KMSAN): ([\w-]+(?: or [\w-]+| read| write)*)/, title: sanitizer},
	{kind: 'sanitizer', pattern: /BUG: KCSAN: (.*)/, title: ([, what]) => `KCSAN: ${what}`, isWhole: true},
	{kind: 'sanitizer', pattern: /UBSAN: .*/, isWhole: true},
	{
		kind: 'oops',
		pattern: /BUG: (?:unable to handle kernel NULL pointer dereference|kernel NULL pointer dereference)/,
		title: () => 'BUG: unable to handle kernel NULL pointer dereference',
	},
	{
		kind: 'oops',
		pattern: /BUG: unable to handle (?:kernel paging request|page fault)/,
		title: () => 'BUG: unable to handle page fault',
	},
	{kind: 'oops', pattern: /BUG: unable to handle .*/},
	{kind: 'oops', pattern: /kernel BUG at /, title: () => 'kernel BUG'},
	{
		kind: 'oops',
		pattern:
			/^(?:Oops: )?(general protection fault|divide error|invalid opcode|stack segment|int3|alignment check)\b.*\[#\d+\]/,
		title: ([, what]) => what!,
		isBanner: true,
	},
	{kind: 'oops', pattern: /^Oops: .*/, title: () => 'Oops', isBanner: true},
	{kind: 'oops', pattern: /PANIC: (double fault|early exception)/, title: ([, what]) => `PANIC: ${what}`},
	{kind: 'oops', pattern: /BUG: (?:\w+ )*stack guard page was hit/, title: () => 'BUG: stack guard page was hit'},
	{kind: 'panic', pattern: /Kernel panic - not syncing: (.*)/, title: ([line]) => line!, isWhole: true},
	{kind: 'stall', pattern: /BUG: soft lockup/, title: () => 'BUG: soft lockup'},
	{kind: 'stall', pattern: /Watchdog detected hard LOCKUP/, title: () => 'hard LOCKUP'},
	{
		kind: 'stall',
		pattern: /INFO: (rcu\w*) (?:self-)?detected (?:expedited )?stalls?/,
		title: ([, flavour]) => `INFO: ${flavour} stall`,
	},
	{
		kind: 'stall',
		pattern: /(rcu\w*) kthread (?:starved|timer wakeup)/,
		title: ([, flavour]) => `INFO: ${flavour} stall`,
		isBanner: true,
	},
	{kind: 'stall', pattern: /INFO: task .* blocked (?:for|in I\/O wait for) more than/, title: () => 'INFO: task hung'},
	{kind: 'stall', pattern: /BUG: workqueue lockup/, title: () => 'BUG: workqueue lockup'},
	{kind: 'stall', pattern: /unregister_netdevice: waiting for \S+ to become free/, isWhole: true},
	{
		kind: 'lock',
		pattern: /BUG: (sleeping function called from invalid context|scheduling while atomic|Invalid wait context)/,
		title: ([line]) => line,
	},
	{kind: 'lock', pattern: /\bInvalid wait context\b/i, title: () => 'BUG: Invalid wait context'},
	{kind: 'lock', pattern: /BUG: (?:raw_)?(?:spin|rw)lock [^,]*/, title: ([line]) => line.replace(/ on CPU.*/, '')},
	{
		kind: 'lock',
		pattern:
			/WARNING: (?:possible .*|\S+-safe -> \S+-unsafe lock order detected|inconsistent lock state|bad unlock balance detected!|held lock freed!|.* still has locks held!|lock held when returning to user space!|suspicious RCU usage|chain_key collision|Nested lock was not taken)/,
		title: ([line]) => line.replace(/[.!]$/, ''),
	},
	{kind: 'lock', pattern: /INFO: trying to register non-static key/},
	{
		kind: 'lock',
		pattern: /BUG: (?:MAX_\w+ too low|key \S+ not in \.data|workqueue leaked lock or atomic).*/,
		isWhole: true,
	},
	{kind: 'warning', pattern: /WARNING: (?:CPU: \d+ PID: \d+ at|\S+:\d+ at) /, title: () => 'WARNING'},
	{kind: 'warning', pattern: /WARNING: (?:kernel stack|stack going|can't ).*/, isWhole: true},
	{kind: 'warning', pattern: /refcount_t: .*/, title: ([line]) => line.replace(/\.$/, '')},
	{kind: 'warning', pattern: /list_(?:add|del) corruption/},
	{kind: 'warning', pattern: /ODEBUG: .*/},
	{kind: 'other', pattern: /stack-protector: .*/, isWhole: true},
	{kind: 'other', pattern: /usercopy: kernel memory .* attempt detected/i},
	{kind: 'other', pattern: /BUG \S+ ?\((?:Not tainted|Tainted).*?\): (.*)/, title: ([, what]) => `BUG: slab: ${what}`},
	{kind: 'other', pattern: /BUG: Bad .*/, isWhole: true},
	{kind: 'other', pattern: /pagealloc: .*corruption/, isWhole: true},
	{kind: 'other', pattern: /Out of memory: .*/, isWhole: true},
	{kind: 'other', pattern: /\S+ invoked oom-killer/, isWhole: true},
	{kind: 'other', pattern: /page allocation failure/, isWhole: true},
	{kind: 'leak', pattern: /unreferenced object 0x\w+ \(size \d+\)/, title: () => 'memory leak'},
	{kind: 'leak', pattern: /kmemleak: \d+ new suspected memory leaks/, isWhole: true},
	{kind: 'other', pattern: /BUG: .*/},
];

/** A quick filter: lines that do not match cannot begin a report. It keeps a flood of output cheap. */
export const perhaps =
	/BUG|WARNING: |INFO: |Oops|anic|PANIC|LOCKUP|\[#\d|UBSAN|refcount_t|corruption|ODEBUG|stack-protector|usercopy|memory|oom-killer|allocation failure|unreferenced|kthread|unregister_netdevice|wait context/;

/** Lines that match a signature but are harmless. */
export const harmless: readonly RegExp[] = [
	/WARNING: Unprivileged eBPF is enabled/,
	/WARNING: You are running an unsupported configuration/,
	/INFO: lockdep is turned off/,
	/INFO: NMI handler .* took too long/,
	/INFO: Stall ended before state dump start/,
	/INFO: (?:Object|Slab|Freed|Allocated|0x)/,
	/\b\w+_(?:INFO|BUG):/,
	/traps: .* general protection/,
	/probe-matrix: /,
	/Freeing .*memory/,
];

/** A panic for one of these reasons belongs to the report before it. */
export const consequence =
	/Kernel panic - not syncing: (?:Fatal |panic_on_|softlockup: |hung_task: |Hard LOCKUP|RCU Stall|kernel: panic_on|Attempted to kill)/;

function sanitizer([, tool, what]: RegExpExecArray): string {
	return `${tool}: ${what}`;
}

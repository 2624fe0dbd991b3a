// SPDX-License-Identifier: GPL-2.0
import type {rules} from './guilty.ts';
import {plainName} from './machinery.ts';

/** What a report is about. After `stall` a guest no longer works as it should; `panic` ends it. */
export type ReportKind = 'panic' | 'oops' | 'warning' | 'sanitizer' | 'lock' | 'stall' | 'leak' | 'other';

/** A line that begins a report, in the wording of Linux 4.15 and of later kernels; of 4.4 where it differs. */
export type Signature = {
	readonly kind: ReportKind;
	readonly pattern: RegExp;
	/** Where the guilty function is found. */
	readonly rule: keyof typeof rules;
	/** The title up to ` in FUNCTION`; default: the matched text. */
	readonly title?: (match: RegExpExecArray) => string;
	/** The title if no function is found; default: the same. */
	readonly placeless?: (match: RegExpExecArray) => string;
	/** Belongs to the report that is being printed, if there is one. */
	readonly isBanner?: true;
	/** Announces a report that a line of this sort begins; both are one report. */
	readonly announces?: RegExp;
	/** The line itself says where, without a function name. */
	readonly isWhole?: true;
	/** So general that a program could print it; it counts only if the kernel has stamped it. */
	readonly isVague?: true;
};

const trap = /WARNING: (?:CPU: \d+ PID: \d+ at|\S+:\d+ at) |kernel BUG at /;
const message = ([line]: RegExpExecArray): string => line;

/** In the order in which they are tried. */
export const signatures: readonly Signature[] = [
	{
		kind: 'sanitizer',
		rule: 'sanitizer',
		pattern: /BUG: (KASAN|KFENCE|KMSAN): ([\w-]+(?: [\w-]+)*?)(?= in | at | on |:|$)/,
		title: ([, tool, what]) => `${tool}: ${what}`,
	},
	{
		kind: 'sanitizer',
		rule: 'race',
		pattern: /BUG: KCSAN: (.*?)(?: in (\w[\w.]*).*? \/ (\w[\w.]*).*| in .*)?$/,
		title: ([, what, one, other]) =>
			one ? `KCSAN: ${what} in ${plainName(one)} / ${plainName(other!)}` : `KCSAN: ${what}`,
	},
	{
		kind: 'sanitizer',
		rule: 'trace',
		pattern: /UBSAN: (.*?)(?: in (\S+:\d+:\d+.*))?$/,
		title: ([, what]) => `UBSAN: ${what}`,
		placeless: message,
	},
	{
		kind: 'oops',
		rule: 'exception',
		pattern: /BUG: (?:unable to handle kernel NULL pointer dereference|kernel NULL pointer dereference)/,
		title: () => 'BUG: unable to handle kernel NULL pointer dereference',
	},
	{
		kind: 'oops',
		rule: 'exception',
		pattern: /BUG: unable to handle (?:kernel paging request|page fault)/,
		title: () => 'BUG: unable to handle page fault',
	},
	{kind: 'oops', rule: 'exception', pattern: /BUG: unable to handle .*/},
	{kind: 'oops', rule: 'exception', pattern: /kernel BUG at /, title: () => 'kernel BUG'},
	{
		kind: 'oops',
		rule: 'exception',
		// KASAN's remark before it has no end of line.
		pattern:
			/(?:^|Oops: |access)(?:segment-related )?(general protection fault|divide[ _]error|invalid opcode|stack segment|int3|alignment check|invalid TSS|segment not present|bounds|coprocessor segment overrun|overflow)\b.*\[#\d+\]/,
		title: ([, what]) => what!.replace('_', ' '),
		isBanner: true,
	},
	{kind: 'oops', rule: 'exception', pattern: /^Oops: .*/, title: () => 'Oops', isBanner: true},
	{
		kind: 'oops',
		rule: 'exception',
		pattern: /PANIC: (double fault|early exception)/,
		title: ([, what]) => `PANIC: ${what}`,
	},
	{
		kind: 'oops',
		rule: 'overflow',
		pattern: /BUG: (?:[\w-]+ )*stack guard page was hit/,
		title: () => 'BUG: stack guard page was hit',
	},
	{
		kind: 'panic',
		rule: 'stack',
		pattern: /Kernel panic - not syncing: (stack-protector: Kernel stack is corrupted) in/,
		title: ([, what]) => `Kernel panic - not syncing: ${what}`,
	},
	{
		kind: 'panic',
		rule: 'overflow',
		pattern: /Kernel panic - not syncing: corrupted stack end detected inside scheduler/,
	},
	{kind: 'panic', rule: 'trace', pattern: /Kernel panic - not syncing: .*/, isWhole: true},
	{kind: 'stall', rule: 'stall', pattern: /BUG: soft lockup/, title: () => 'BUG: soft lockup'},
	{kind: 'stall', rule: 'stall', pattern: /Watchdog detected hard LOCKUP/, title: () => 'hard LOCKUP'},
	{
		kind: 'stall',
		rule: 'stall',
		pattern: /INFO: (rcu\w*) (?:self-)?detected (?:expedited )?stalls?/,
		title: ([, flavour]) => `INFO: ${flavour} stall`,
	},
	{
		kind: 'stall',
		rule: 'stall',
		pattern: /(rcu\w*) kthread (?:starved|timer wakeup)/,
		title: ([, flavour]) => `INFO: ${flavour} stall`,
		isBanner: true,
	},
	{
		kind: 'stall',
		rule: 'waiting',
		// The name of a task may hold a newline.
		pattern: /(?:INFO: task .*|:\d+ )(?:blocked (?:for|in I\/O wait)|can't die)/,
		title: () => 'INFO: task hung',
	},
	{kind: 'stall', rule: 'stall', pattern: /BUG: workqueue lockup/, title: () => 'BUG: workqueue lockup', isWhole: true},
	{
		kind: 'stall',
		rule: 'trace',
		pattern: /unregister_netdevice: waiting for \S+ to become free/,
		isWhole: true,
		isBanner: true,
	},
	{
		kind: 'lock',
		rule: 'trace',
		pattern: /BUG: (?:sleeping function called from invalid context|scheduling while atomic)/,
	},
	{
		kind: 'lock',
		rule: 'preemptible',
		pattern: /BUG: using (\S+) in preemptible/,
		title: ([, what]) => `BUG: using ${what} in preemptible code`,
	},
	{kind: 'lock', rule: 'lockdep', pattern: /\bInvalid wait context\b/i, title: () => 'BUG: Invalid wait context'},
	{
		kind: 'lock',
		rule: 'trace',
		pattern: /BUG: (?:raw_)?(?:spin|rw)lock [^,]*/,
		title: ([line]) => line.replace(/ on CPU.*/, ''),
	},
	{
		kind: 'lock',
		rule: 'held',
		// Until 4.10 in brackets, as INFO or BUG.
		pattern: /(?:WARNING|BUG): (?:\S+\/\d+ )?(still has locks held|lock held when returning to user space)!/,
		title: ([, what]) => `WARNING: ${what}`,
	},
	{
		kind: 'lock',
		rule: 'interruptible',
		pattern: /(?:WARNING|INFO): (\S+-safe -> \S+-unsafe lock order detected)/,
		title: ([, what]) => `WARNING: ${what}`,
	},
	{
		kind: 'lock',
		rule: 'lockdep',
		pattern:
			/(?:WARNING|INFO|BUG): (possible (?:circular|recursive|irq)[\w ]*|inconsistent lock state|bad (?:unlock balance|contention) detected|suspicious RCU usage|chain_key collision|Nested lock was not taken)/,
		title: ([, what]) => `WARNING: ${what!.trim()}`,
	},
	{kind: 'lock', rule: 'freed', pattern: /(?:WARNING|BUG): held lock freed/, title: () => 'WARNING: held lock freed'},
	{kind: 'lock', rule: 'trace', pattern: /INFO: trying to register non-static key/},
	{
		kind: 'lock',
		rule: 'workqueue',
		pattern: /BUG: workqueue leaked (?:lock or atomic|atomic, lock or RCU)/,
		placeless: message,
	},
	{kind: 'lock', rule: 'trace', pattern: /BUG: (?:MAX_\w+ too low|key \S+ not in \.data).*/, isWhole: true},
	{kind: 'warning', rule: 'warning', pattern: /WARNING: (?:CPU: \d+ PID: \d+ at|\S+:\d+ at) /, title: () => 'WARNING'},
	{kind: 'warning', rule: 'trace', pattern: /WARNING: (?:kernel stack|stack going|can't ).*/, isWhole: true},
	{
		kind: 'warning',
		rule: 'announced',
		pattern: /refcount_t: .*/,
		title: ([line]) => line.replace(/\.$/, ''),
		announces: trap,
	},
	{kind: 'warning', rule: 'announced', pattern: /list_(?:add|del) corruption/, announces: trap},
	{
		kind: 'warning',
		rule: 'announced',
		pattern: /ODEBUG: (\w+ [\w ]+?) \(active state.*object type: (\S+)/,
		title: ([, what, type]) => `ODEBUG: ${what} ${type}`,
		announces: trap,
	},
	{kind: 'other', rule: 'trace', pattern: /stack-protector: .*/, isWhole: true},
	{
		kind: 'other',
		rule: 'announced',
		pattern: /usercopy: kernel memory .* attempt detected/i,
		title: ([line]) => line.replace('Kernel', 'kernel'),
		announces: trap,
	},
	{
		kind: 'other',
		rule: 'trace',
		pattern: /BUG \S+ ?\((?:Not tainted|Tainted|[A-Z ]+).*?\): (.*)/,
		title: ([, what]) => `BUG: slab: ${what}`,
	},
	{
		kind: 'other',
		rule: 'trace',
		pattern: /^INFO: (?:Allocated|Freed|Slab|Object) (?:in |0x).*/,
		title: () => 'BUG: slab: its beginning was lost',
		isBanner: true,
	},
	{kind: 'other', rule: 'trace', pattern: /BUG: Bad page state/},
	{kind: 'other', rule: 'trace', pattern: /BUG: Bad .*/, isWhole: true},
	{
		kind: 'other',
		rule: 'trace',
		pattern: /BUG: Dentry .* still in use .*\[unmount/,
		title: () => 'BUG: Dentry still in use in unmount',
		isWhole: true,
	},
	{
		kind: 'other',
		rule: 'trace',
		pattern: /VFS: (?:Busy inodes after unmount|Close: file count is (?:0|zero))/,
		isWhole: true,
	},
	{kind: 'other', rule: 'trace', pattern: /pagealloc: .*corruption/, isWhole: true},
	{kind: 'other', rule: 'trace', pattern: /Out of memory: .*/, isWhole: true},
	{kind: 'other', rule: 'trace', pattern: /\S+ invoked oom-killer/, isWhole: true},
	{kind: 'other', rule: 'trace', pattern: /page allocation failure/, isWhole: true},
	{
		kind: 'leak',
		rule: 'leak',
		pattern: /unreferenced object 0x\w+ \(size \d+\)/,
		title: () => 'memory leak',
	},
	{
		kind: 'leak',
		rule: 'leak',
		pattern: /BUG: memory leak/,
		title: () => 'memory leak',
		announces: /unreferenced object/,
	},
	{kind: 'leak', rule: 'leak', pattern: /kmemleak: \d+ new suspected memory leaks/, isWhole: true},
	{
		kind: 'other',
		rule: 'trace',
		pattern: /^(?:\[ )?BUG: ([^\]]*[^\] ])/,
		title: ([, what]) => `BUG: ${what}`,
		isVague: true,
	},
];

/** A quick filter: lines that do not match cannot begin a report. It keeps a flood of output cheap. */
export const perhaps =
	/BUG|WARNING: |INFO: |Oops|anic|PANIC|LOCKUP|\[#\d|UBSAN|refcount_t|corruption|ODEBUG|stack-protector|usercopy|memory|oom-killer|allocation failure|unreferenced|kthread|unregister_netdevice|wait context|VFS: |blocked for /;

/** Lines that match a signature but are harmless. */
export const harmless: readonly RegExp[] = [
	/WARNING: Unprivileged eBPF is enabled/,
	/WARNING: You are running an unsupported configuration/,
	/INFO: lockdep is turned off/,
	/INFO: NMI handler .* took too long/,
	/INFO: Stall ended before state dump start/,
	/\b\w+_(?:INFO|BUG):/,
	/traps: .* general protection/,
	/probe-matrix: /,
	/Freeing .*memory/,
	// A shell's echo of what was typed, and the parameters that the kernel repeats.
	/^(?:\S+[@:]\S*)?[#$] |[Cc]ommand line( parameters)?[:"]/,
];

/** A panic for one of these reasons belongs to the report before it. */
export const consequence =
	/Kernel panic - not syncing: (?:Fatal |softlockup: |hung_task: |Hard LOCKUP|RCU Stall|scheduling while atomic|Attempted to kill|.*panic_on_)/;

// SPDX-License-Identifier: GPL-2.0
import test from 'ava';
import {findKernelReports} from './crash-detector.ts';

/** Reports in the kernel's wording, about functions that do not exist; and the title that names the guilty one. */
const reports: Readonly<Record<string, readonly [title: string, lines: string]>> = {
	'a helper is given by its caller what it fails with': [
		'general protection fault in ring_lookup [ring]',
		`general protection fault, probably for non-canonical address 0xdead: 0000 [#1] PREEMPT SMP
RIP: 0010:memcmp+0x1d/0x40
Call Trace:
 ? stale_frame+0x1/0x2
 ring_lookup+0x22/0x80 [ring]
 ring_ioctl+0x1/0x2 [ring]`,
	],
	'a call of a null pointer is the caller’s': [
		'BUG: unable to handle kernel NULL pointer dereference in ring_notify',
		`BUG: kernel NULL pointer dereference, address: 0000000000000000
RIP: 0010:0x0
Code: Unable to access opcode bytes at 0xffffffffffffffd6.
Call Trace:
 ring_notify+0x22/0x80
 ring_close+0x1/0x2`,
	],
	'the wording of 4.4 has addresses': [
		'kernel BUG in ring_close',
		`kernel BUG at drivers/ring.c:7!
RIP: 0010:[<ffffffff810d9c93>]  [<ffffffff810d9c93>] ring_close+0x3b3/0x3d0
Call Trace:
 [<ffffffff810ec8b2>] ring_release+0x162/0x260`,
	],
	'a symbolizer adds lines, and repeats the first for inlined functions': [
		'KASAN: slab-use-after-free read in ring_poll',
		`BUG: KASAN: slab-use-after-free in ring_head drivers/ring.h:12 [inline]
BUG: KASAN: slab-use-after-free in ring_poll+0x1dfd/0x20f0 drivers/ring.c:271
Read of size 4 at addr ffff880066df126c by task agent/7
Call Trace:
 dump_stack+0x292/0x395 lib/dump_stack.c:52
 ring_poll+0x1dfd/0x20f0 drivers/ring.c:271`,
	],
	'the past of an object does not count': [
		'KASAN: double-free in ring_free',
		`BUG: KASAN: double-free in kfree+0x10/0x20
Call Trace:
 kasan_report_invalid_free+0x1/0x2
 kfree+0x10/0x20
 ring_free+0x10/0x20
Allocated by task 7:
 ring_open+0x1/0x2`,
	],
	'KFENCE has a headline of its own': [
		'KFENCE: use-after-free read in ring_find',
		`BUG: KFENCE: use-after-free read in memcmp+0x57/0x150
Use-after-free read at 0xffff88823bc8cf68 (in kfence-#69):
 memcmp+0x57/0x150
 ring_find+0x57/0x150
CPU: 0 PID: 1 Comm: agent
Call Trace:
 other+0x1/0x2`,
	],
	'KCSAN names two': [
		'KCSAN: data-race in ring_read / ring_write',
		`BUG: KCSAN: data-race in ring_read+0x1/0x10 / ring_write+0x2/0x20
read to 0xffff8881 of 8 bytes by task 7 on cpu 1:
 ring_read+0x1/0x10`,
	],
	'UBSAN says where only as a file': [
		'UBSAN: array-index-out-of-bounds in ring_slot',
		`UBSAN: array-index-out-of-bounds in drivers/ring.c:3:2
Call Trace:
 dump_stack_lvl+0x1/0x2
 ubsan_epilogue+0x1/0x2
 __ubsan_handle_out_of_bounds+0x1/0x2
 ring_slot+0x1/0x2`,
	],
	'a refcount warning is about who counts': [
		'refcount_t: addition on 0; use-after-free in ring_get',
		`refcount_t: addition on 0; use-after-free.
WARNING: CPU: 1 PID: 65 at lib/refcount.c:25 refcount_warn_saturate+0x13d/0x1a0
RIP: 0010:refcount_warn_saturate+0x13d/0x1a0
Call Trace:
 kobject_get+0x1/0x2
 ring_get+0x1/0x2`,
	],
	'a corrupted list, and the BUG for it, are one report': [
		'list_del corruption in ring_unlink',
		`list_del corruption. prev->next should be ffff, but was dead
------------[ cut here ]------------
kernel BUG at lib/list_debug.c:51!
RIP: 0010:__list_del_entry_valid+0x1/0x2
Call Trace:
 ring_unlink+0x1/0x2`,
	],
	ODEBUG: [
		'ODEBUG: free active timer_list in ring_destroy',
		`ODEBUG: free active (active state 0) object type: timer_list hint: ring_timer+0x0/0x90
WARNING: CPU: 1 PID: 65 at lib/debugobjects.c:291 debug_print_object+0x1/0x2
RIP: 0010:debug_print_object+0x1/0x2
Call Trace:
 debug_check_no_obj_freed+0x1/0x2
 kfree+0x1/0x2
 ring_destroy+0x1/0x2`,
	],
	'lockdep: where the lock is being taken, not where the other one was': [
		'WARNING: possible circular locking dependency detected in ring_resize',
		`WARNING: possible circular locking dependency detected
agent/7 is trying to acquire lock:
ffff (ring_mutex){+.+.}, at: ring_resize+0x1/0x2
but task is already holding lock:
ffff (&p->lock){+.+.}, at: seq_read+0x1/0x2
-> #1 (&p->lock){+.+.}:
       lock_acquire+0x1/0x2
       ring_show+0x1/0x2
stack backtrace:
Call Trace:
 __lock_acquire+0x1/0x2
 lock_acquire+0x1/0x2
 __mutex_lock+0x1/0x2
 ring_resize+0x1/0x2`,
	],
	'lockdep in the wording before 4.11, without a trace': [
		'WARNING: possible circular locking dependency detected in ring_resize',
		`[ INFO: possible circular locking dependency detected ]
agent/7 is trying to acquire lock:
 (ring_mutex){+.+...}, at: [<ffffffff9edb41bb>] ring_resize+0xbb/0x3a0`,
	],
	'a lock that interrupts take': [
		'WARNING: HARDIRQ-safe -> HARDIRQ-unsafe lock order detected in ring_interrupt',
		`WARNING: HARDIRQ-safe -> HARDIRQ-unsafe lock order detected
agent/7 [HC0[0]:SC0[0]:HE0:SE1] is trying to acquire:
ffff (plain){+.+.}, at: ring_write+0x1/0x2
which lock could be taken in an interrupt:
  _raw_spin_lock_irqsave+0x1/0x2
  ring_interrupt+0x1/0x2
stack backtrace:
Call Trace:
 ring_write+0x1/0x2`,
	],
	'suspicious RCU usage before 4.11': [
		'WARNING: suspicious RCU usage in ring_find',
		`[ INFO: suspicious RCU usage. ]
1 lock held by agent/7:
 #0:  (other){+.+.}, at: [<ffffffff9edb41bb>] other+0xbb/0x3a0
stack backtrace:
Call Trace:
 [<ffffffff810ec8b2>] lockdep_rcu_suspicious+0x1/0x2
 [<ffffffff810ec8b2>] ring_find+0x1/0x2`,
	],
	'a lock that is kept: who took it': [
		'WARNING: lock held when returning to user space in ring_open',
		`WARNING: lock held when returning to user space!
1 lock held by agent/7:
 #0: ffff (ring_mutex){+.+.}, at: ring_open+0x1/0x2`,
	],
	'two locks that are kept: who took the first': [
		'WARNING: lock held when returning to user space in ring_open',
		`WARNING: lock held when returning to user space!
2 locks held by agent/7:
 #0: ffff (ring_mutex){+.+.}, at: ring_open+0x1/0x2
 #1: ffff (ring_lock){+.+.}, at: ring_read+0x1/0x2`,
	],
	'memory with a lock in it is freed': [
		'WARNING: held lock freed in ring_wait',
		`WARNING: held lock freed!
agent/7 is freeing memory 00000000-11111111, with a lock still held there!
 (sk_lock){+.+.}, at: [<ffffffff9edb41bb>] ring_wait+0xbb/0x3a0
stack backtrace:
Call Trace:
 debug_check_no_locks_freed+0x1/0x2
 ring_free+0x1/0x2`,
	],
	'the direct caller may not use per-CPU data': [
		'BUG: using smp_processor_id() in preemptible code in kmalloc_trace',
		`BUG: using smp_processor_id() in preemptible [00000000] code: agent/7
Call Trace:
 check_preemption_disabled+0x1/0x2
 kmalloc_trace+0x1/0x2
 ring_open+0x1/0x2`,
	],
	'what was before the sleep does not count': [
		'BUG: sleeping function called from invalid context in ring_alloc',
		`BUG: sleeping function called from invalid context at mm/slab.h:420
Preemption disabled at:
[<ffffffff81>] other+0x1/0x2
Call Trace:
 ___might_sleep+0x1/0x2
 kmem_cache_alloc+0x1/0x2
 ring_alloc+0x1/0x2`,
	],
	'a work has returned with a lock': [
		'BUG: workqueue leaked lock or atomic in ring_work',
		`BUG: workqueue leaked lock or atomic: kworker/0:0/0x00000000/4
     last function: ring_work
Call Trace:
 process_one_work+0x1/0x2`,
	],
	'a leak is of who allocated': [
		'memory leak in ring_open',
		`unreferenced object 0xffff8800342540c0 (size 1864):
  comm "agent", pid 7, jiffies 4299060398 (age 27.984s)
  backtrace:
    [<ffffffff85c73a22>] kmemleak_alloc+0x72/0xc0
    [<ffffffff816cc14d>] kmem_cache_alloc+0x12d/0x2c0
    [<ffffffff816cc14d>] ring_zalloc+0x12d/0x2c0
    [<ffffffff816cc14d>] ring_open+0x12d/0x2c0`,
	],
	'a hung task waits by the means of others': [
		'INFO: task hung in ring_stop',
		`INFO: task agent:7 blocked in I/O wait for more than 120 seconds.
Call Trace:
 __schedule+0x1/0x2
 io_schedule+0x1/0x2
 wait_for_completion_io+0x1/0x2
 some_queue_wait_event+0x1/0x2
 ring_stop+0x1/0x2`,
	],
	'a task that cannot die': [
		'INFO: task hung in ring_stop',
		`INFO: task agent:7 can't die for more than 143 seconds.
Call Trace:
 schedule+0x1/0x2
 ring_stop+0x1/0x2`,
	],
	'a stall without a module: what the innermost dispatcher called': [
		'INFO: rcu_preempt stall in ring_ioctl',
		`rcu: INFO: rcu_preempt self-detected stall on CPU
Call Trace:
 <IRQ>
 dump_stack+0x1/0x2
 rcu_sched_clock_irq+0x1/0x2
 update_process_times+0x1/0x2
 hrtimer_interrupt+0x1/0x2
 sysvec_apic_timer_interrupt+0x1/0x2
 </IRQ>
 asm_sysvec_apic_timer_interrupt+0x1/0x2
RIP: 0010:ring_spin+0x1/0x2
 ring_loop+0x1/0x2
 ring_ioctl+0x1/0x2
 vfs_ioctl+0x1/0x2
 __x64_sys_ioctl+0x1/0x2
 do_syscall_64+0x1/0x2`,
	],
	'a stall in a system call, in any build': [
		'BUG: soft lockup in sys_ring',
		`watchdog: BUG: soft lockup - CPU#0 stuck for 23s! [agent:7]
RIP: 0010:ring_spin+0x1/0x2
Call Trace:
 do_ring+0x1/0x2
 __x64_sys_ring+0x1/0x2
 do_syscall_64+0x1/0x2`,
	],
	'a stall in a system call of 4.15, with the name that it has later': [
		'BUG: soft lockup in sys_ring',
		`watchdog: BUG: soft lockup - CPU#0 stuck for 22s! [agent:7]
RIP: 0010:ring_spin+0x1/0x2
Call Trace:
 do_ring+0x1/0x2
 SyS_ring+0x1/0x2
 do_syscall_64+0x1/0x2`,
	],
	'a stall in a timer, on a CPU that had nothing else to do': [
		'BUG: soft lockup in ring_timeout',
		`watchdog: BUG: soft lockup - CPU#0 stuck for 23s! [swapper/0:0]
RIP: 0010:ring_spin+0x1/0x2
Call Trace:
 <IRQ>
 ring_timeout+0x1/0x2
 call_timer_fn+0x1/0x2
 run_timer_softirq+0x1/0x2
 __do_softirq+0x1/0x2
 irq_exit+0x1/0x2
 </IRQ>
 default_idle+0x1/0x2
 do_idle+0x1/0x2
 cpu_startup_entry+0x1/0x2`,
	],
	'a stall that waits for another CPU': [
		'BUG: soft lockup in smp_call_function',
		`watchdog: BUG: soft lockup - CPU#0 stuck for 23s! [agent:7]
RIP: 0010:smp_call_function_many_cond+0x1/0x2
Call Trace:
 ring_flush+0x1/0x2
 kthread+0x1/0x2`,
	],
	'copies of a copy have the name of the function': [
		'WARNING in ring_parse',
		`WARNING: CPU: 0 PID: 1 at a.c:1 ring_parse.isra.0.cold+0x1/0x2
Call Trace:
 ring_read.constprop.0.isra.0+0x1/0x2`,
	],
	'a stall of a module that waits for another CPU': [
		'BUG: soft lockup in ring_flush [ring]',
		`watchdog: BUG: soft lockup - CPU#0 stuck for 23s! [agent:7]
RIP: 0010:smp_call_function_many_cond+0x1/0x2
Call Trace:
 on_each_cpu_cond_mask+0x1/0x2
 ring_flush+0x1/0x2 [ring]
 kthread+0x1/0x2`,
	],
	'the end of the stack is met by chance': [
		'Kernel panic - not syncing: corrupted stack end detected inside scheduler in ring_work',
		`Kernel panic - not syncing: corrupted stack end detected inside scheduler
Call Trace:
 __schedule+0x1/0x2
 deep+0x1/0x2
 ring_work+0x1/0x2
 process_one_work+0x1/0x2`,
	],
	'an overwritten stack': [
		'Kernel panic - not syncing: stack-protector: Kernel stack is corrupted in ring_parse',
		`Kernel panic - not syncing: stack-protector: Kernel stack is corrupted in: ring_parse+0x7ea/0x7f0`,
	],
	'inodes that are busy': [
		'VFS: Busy inodes after unmount',
		'VFS: Busy inodes after unmount of loop0. Self-destruct in 5 seconds.  Have a nice day...',
	],
	'a helper, in a trace with lines of the source': [
		'KASAN: slab-out-of-bounds in ring_copy',
		`BUG: KASAN: slab-out-of-bounds in memcpy+0x1/0x2 mm/kasan/shadow.c:65
Call Trace:
 memcpy+0x1/0x2 mm/kasan/shadow.c:65
 ring_copy+0x1/0x2 drivers/ring.c:65`,
	],
	'even what reports may be at fault': [
		'KASAN: slab-out-of-bounds in unwind_next_frame',
		'BUG: KASAN: slab-out-of-bounds in unwind_next_frame+0x1/0x2',
	],
	'an expedited grace period is one, too': [
		'INFO: task hung in synchronize_rcu',
		`INFO: task agent:7 blocked for more than 120 seconds.
Call Trace:
 schedule+0x1/0x2
 synchronize_rcu_expedited+0x1/0x2
 ring_stop+0x1/0x2`,
	],
	'a task may have a newline in its name': [
		'INFO: task hung in ring_drain',
		`INFO: task ring
drain:7 blocked for more than 143 seconds.
Call Trace:
 schedule+0x1/0x2
 ring_drain+0x1/0x2`,
	],
	'what is printed belongs to the caller': [
		'KASAN: slab-out-of-bounds read in ring_probe',
		`BUG: KASAN: slab-out-of-bounds in string+0x1/0x2
Read of size 1 at addr ffff880066df126c by task agent/7
Call Trace:
 va_format+0x1/0x2
 vsnprintf+0x1/0x2
 _dev_info+0x1/0x2
 ring_probe+0x1/0x2`,
	],
	'a panic of Rust is its caller’s': [
		'kernel BUG in _RNvMs3_NtCs1_4ring7processNtB5_4Ring4push',
		`kernel BUG at rust/helpers/bug.c:7!
RIP: 0010:rust_helper_BUG+0x8/0x10
Call Trace:
 _RNvCs1_7___rustc17rust_begin_unwind+0x1/0x2
 _RNvNtCs1_4core9panicking9panic_fmt+0x1/0x2
 _RNvMs3_NtCs1_4ring7processNtB5_4Ring4push+0x1/0x2`,
	],
	'only machinery is better than nothing': [
		'KASAN: slab-out-of-bounds write in memset',
		`BUG: KASAN: slab-out-of-bounds in memset+0x1/0x2
Write of size 4 at addr ffff880066df126c by task agent/7`,
	],
};

for (const [claim, [title, lines]] of Object.entries(reports))
	test(`${claim}: ${title}`, t => {
		t.deepEqual(
			findKernelReports(lines).map(report => report.title),
			[title],
		);
	});

/** Titles tell crashes apart, also across kernels and builds; so what is the same to a reader has one name. */
const sameNames: Readonly<Record<string, readonly string[]>> = {
	sys_ring: [
		...['SyS_ring', '__x64_sys_ring', '__ia32_sys_ring', '__x32_sys_ring'],
		...['__ia32_compat_sys_ring', '__x32_compat_sys_ring', '__x64_sys_ring.cold', 'SyS_ring.part.2'],
		...['compat_SyS_ring', 'compat_sys_ring'],
	],
	ring: [
		...['SYSC_ring', 'C_SYSC_ring', '__do_sys_ring', '__se_sys_ring', '__do_compat_sys_ring', '__se_compat_sys_ring'],
		...['ring.isra.0', 'ring.constprop.3', 'ring.llvm.123', 'ring.unlikely.1', 'ring.part.0.isra.1', 'ring.7'],
	],
	smp_call_function: [
		...['smp_call_function_many', 'smp_call_function_many_cond', 'smp_call_function_single', 'smp_call_function_any'],
	],
	synchronize_rcu: [
		...['synchronize_rcu_expedited', 'synchronize_rcu_normal', 'synchronize_sched', 'synchronize_rcu_bh'],
	],
	synchronize_srcu: ['synchronize_srcu_expedited', '__synchronize_srcu'],
	// No system calls, and no other names of anything.
	ring_sys_open: ['ring_sys_open'],
	ring_SyS_open: ['ring_SyS_open'],
	ring_synchronize_sched: ['ring_synchronize_sched'],
};

for (const [name, others] of Object.entries(sameNames))
	test(`titles have one name for what kernels call differently: ${name}`, t => {
		for (const other of others) {
			const [report] = findKernelReports(`WARNING: CPU: 0 PID: 1 at a.c:1 ${other}+0x1/0x2`);
			t.is(report?.title, `WARNING in ${name}`, other);
			t.is(report?.frames[0], `${other}+0x1/0x2`, 'the frame is as the kernel says');
		}
		const [race] = findKernelReports(`BUG: KCSAN: data-race in ${others[0]} / ${others.at(-1)}`);
		t.is(race?.title, `KCSAN: data-race in ${name} / ${name}`);
	});

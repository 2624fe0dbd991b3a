import test from 'ava';
import {findKernelReport} from './crash-detector.ts';

const reports = [
	['BUG: unable to handle kernel paging request at ffffffffdeadbeef', 'a page fault of 4.15'],
	['BUG: unable to handle page fault for address: ffffffffdeadbeef', 'a page fault'],
	['BUG: kernel NULL pointer dereference, address: 0000000000000000', 'a null pointer'],
	['kernel BUG at mm/slub.c:4000!', 'BUG()'],
	['general protection fault, probably for non-canonical address 0xdead: 0000 [#1] PREEMPT SMP', 'a protection fault'],
	['Oops: 0002 [#1] SMP NOPTI', 'an oops'],
	['int3: 0000 [#1] SMP', 'an int3 that nobody wanted'],
	['Kernel panic - not syncing: Fatal exception', 'a panic'],
	['WARNING: CPU: 1 PID: 77 at kernel/kprobes.c:100 foo+0x1/0x2 [bprobe]', 'a warning'],
	['WARNING: possible circular locking dependency detected', 'lockdep'],
	['BUG: KASAN: slab-out-of-bounds in f+0x1/0x2 [bprobe]', 'KASAN'],
	['UBSAN: array-index-out-of-bounds in a.c:1:2', 'UBSAN'],
	['watchdog: BUG: soft lockup - CPU#0 stuck for 22s! [agent:77]', 'a soft lockup'],
	['NMI watchdog: Watchdog detected hard LOCKUP on cpu 1', 'a hard lockup'],
	['INFO: rcu_sched self-detected stall on CPU', 'an RCU stall of 4.15'],
	['rcu: INFO: rcu_preempt detected stalls on CPUs/tasks:', 'an RCU stall'],
	['INFO: task agent:77 blocked for more than 120 seconds.', 'a hung task'],
	['BUG: sleeping function called from invalid context at a.c:1', 'sleeping in atomic context'],
	['refcount_t: underflow; use-after-free.', 'a reference count'],
	['list_del corruption. prev->next should be ffff, but was dead', 'a list'],
	['unregister_netdevice: waiting for lo to become free. Usage count = 2', 'a leaked device'],
] as const;

for (const [line, what] of reports) {
	test(`${what} is found: ${line}`, t => {
		for (const prefix of ['[    1.234567] ', '[    1.234567][  T77] ', '<4>[    1.234567] ', '']) {
			const report = findKernelReport(`[    1.000000] before\n${prefix}${line}\n[    2.000000] after`);
			t.true(report !== undefined && line.includes(report.title) && report.title.length > 6, prefix);
			t.regex(report?.text ?? '', /after$/);
			t.notRegex(report?.text ?? '', /before/);
		}
	});
}

for (const line of [
	'bprobe: loading out-of-tree module taints kernel.',
	'WARNING: Unprivileged eBPF is enabled with eIBRS on, data leaks possible via Spectre v2 BHB attacks!',
	'probe-matrix: begin race/owner-killed[asm] 0',
	'probe-matrix: BUG: unable to handle page fault for address: that is the name of a case',
	'traps: a[1] general protection fault ip:1 sp:2 error:0 in a[1+1]',
]) {
	test(`no report is made of: ${line}`, t => {
		t.is(findKernelReport(`[    1.234567] ${line}`), undefined);
	});
}

test('the first of several complaints is the title', t => {
	const text = '[ 1.0] WARNING: CPU: 0 PID: 1 at a.c:1 f\n[ 1.1] BUG: unable to handle page fault';
	t.regex(findKernelReport(text)?.title ?? '', /^WARNING/);
});

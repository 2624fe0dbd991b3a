// SPDX-License-Identifier: GPL-2.0
import {readdirSync} from 'node:fs';
import path from 'node:path';
import test from 'ava';
import {readSample, told} from '../test/crash-sample.ts';
import {CrashDetector, findKernelReports} from './crash-detector.ts';

const samples = path.join(import.meta.dirname, 'samples');

const names = readdirSync(samples, {recursive: true, encoding: 'utf8'}).filter(file => file.endsWith('.txt'));

for (const name of names) {
	const {expected, console} = readSample(path.join(samples, name));

	test(`a real report: ${name}`, t => {
		const reports = findKernelReports(console);
		t.deepEqual(reports.map(told), expected);
		t.is(reports[0]?.mark, `begin ${path.basename(name, '.txt')}`);
	});

	test(`a report is found without any one of its lines: ${name}`, t => {
		const lines = console.split('\n');
		for (let gone = 0; gone < lines.length; gone++) {
			const reports = findKernelReports(lines.toSpliced(gone, 1).join('\n'));
			// When the report is a single line, removing it leaves nothing to find.
			t.true(reports.length > 0 || /BUG: |INFO: |panic|WARNING: /.test(lines[gone] ?? ''), lines[gone]);
		}
	});
}

const lines = [
	['BUG: unable to handle kernel paging request at ffffffffdeadbeef', 'BUG: unable to handle page fault'],
	['BUG: unable to handle page fault for address: ffffffffdeadbeef', 'BUG: unable to handle page fault'],
	['kernel BUG at mm/slub.c:4000!', 'kernel BUG'],
	['general protection fault, probably for non-canonical address 0xdead: 0000 [#1] SMP', 'general protection fault'],
	[
		'Oops: general protection fault, probably for non-canonical address 0xdead: 0000 [#1] SMP',
		'general protection fault',
	],
	['Oops: 0002 [#1] SMP NOPTI', 'Oops'],
	['int3: 0000 [#1] SMP', 'int3'],
	['PANIC: double fault, error_code: 0x0', 'PANIC: double fault'],
	['WARNING: CPU: 1 PID: 77 at kernel/kprobes.c:100 foo+0x1/0x2 [bprobe]', 'WARNING in foo [bprobe]'],
	['WARNING: possible circular locking dependency detected', 'WARNING: possible circular locking dependency detected'],
	['WARNING: suspicious RCU usage', 'WARNING: suspicious RCU usage'],
	['BUG: KASAN: use-after-free in f+0x1/0x2 [bprobe]', 'KASAN: use-after-free in f [bprobe]'],
	['BUG: KASAN: double-free or invalid-free in f+0x1/0x2', 'KASAN: double-free or invalid-free in f'],
	['BUG: KFENCE: out-of-bounds read in f+0x1/0x2', 'KFENCE: out-of-bounds read in f'],
	['UBSAN: array-index-out-of-bounds in a.c:1:2', 'UBSAN: array-index-out-of-bounds in a.c:1:2'],
	['NMI watchdog: Watchdog detected hard LOCKUP on cpu 1', 'hard LOCKUP'],
	['INFO: rcu_sched self-detected stall on CPU', 'INFO: rcu_sched stall'],
	['rcu: INFO: rcu_preempt detected stalls on CPUs/tasks:', 'INFO: rcu_preempt stall'],
	['rcu: INFO: rcu_preempt detected expedited stalls on CPUs/tasks: { 1-...D }', 'INFO: rcu_preempt stall'],
	['BUG: spinlock bad magic on CPU#1, agent/77', 'BUG: spinlock bad magic'],
	['refcount_t: underflow; use-after-free.', 'refcount_t: underflow; use-after-free'],
	['VFS: Close: file count is 0', 'VFS: Close: file count is 0'],
	['VFS: Close: file count is zero (f_op=0x1)', 'VFS: Close: file count is zero'],
	['list_del corruption. prev->next should be ffff, but was dead', 'list_del corruption'],
	['kmemleak: 3 new suspected memory leaks (see /sys/kernel/debug/kmemleak)', 'kmemleak: 3 new suspected memory leaks'],
	['BUG: workqueue lockup - pool cpus=1 node=0 flags=0x0 nice=0 stuck for 40s!', 'BUG: workqueue lockup'],
	['INFO: task agent:77 blocked for more than 120 seconds.', 'INFO: task hung'],
	["INFO: task agent:77 can't die for more than 143 seconds.", 'INFO: task hung'],
	['[ BUG: Invalid wait context ]', 'BUG: Invalid wait context'],
	['BUG: sleeping function called from invalid context at a.c:7', 'BUG: sleeping function called from invalid context'],
	['BUG: scheduling while atomic: agent/77/0x00000002', 'BUG: scheduling while atomic'],
	[
		'BUG: using smp_processor_id() in preemptible [00000000] code: agent/77',
		'BUG: using smp_processor_id() in preemptible code',
	],
	[
		'unregister_netdevice: waiting for lo to become free. Usage count = 2',
		'unregister_netdevice: waiting for lo to become free',
	],
	['BUG kmalloc-64 (Tainted: G           O     ): Poison overwritten', 'BUG: slab: Poison overwritten'],
	['BUG: Bad page state in process agent  pfn:12345', 'BUG: Bad page state'],
	[
		'BUG: Bad rss-counter state mm:ffff type:MM_ANONPAGES val:1',
		'BUG: Bad rss-counter state mm:ffff type:MM_ANONPAGES val:1',
	],
	['BUG: Dentry ffff{i=1,n=a}  still in use (1) [unmount of tmpfs tmpfs]', 'BUG: Dentry still in use in unmount'],
	['pagealloc: single bit corruption', 'pagealloc: single bit corruption'],
	['Out of memory: Killed process 77 (agent) total-vm:1kB', 'Out of memory: Killed process 77 (agent) total-vm:1kB'],
	['agent: page allocation failure: order:4, mode:0x1', 'page allocation failure'],
	['agent invoked oom-killer: gfp_mask=0x1, order=0', 'agent invoked oom-killer'],
	['unreferenced object 0xffff88800c6e5a00 (size 64):', 'memory leak'],
	['rcu: rcu_preempt kthread starved for 2100 jiffies! g1 f0x0', 'INFO: rcu_preempt stall'],
	['BUG: KCSAN: data-race in ring_read / ring_write+0x1', 'KCSAN: data-race in ring_read / ring_write'],
	['BUG: KCSAN: data-race in ring_read+0x1/0x2', 'KCSAN: data-race in ring_read'],
	[
		'usercopy: Kernel memory exposure attempt detected from SLUB object',
		'usercopy: kernel memory exposure attempt detected',
	],
] as const;

for (const [line, title] of lines) {
	test(`title of: ${line}`, t => {
		for (const prefix of [
			'[    1.234567] ',
			'[    1.234567][  T77] ',
			'[    1.234567][    C1] ',
			'<4>[    1.234567] ',
			'',
		]) {
			const [report] = findKernelReports(`[    1.000000] before\n${prefix}${line}\n[    2.000000] after`);
			t.is(report?.title, title, prefix);
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
	'INFO: NMI handler (nmi_cpu_backtrace_handler) took too long to run: 13.457 msecs',
	'fixtures: flood line 1 of 5000',
	'Freeing unused kernel image (initmem) memory: 2048K',
	'ODEBUG: Out of memory. ODEBUG disabled',
	'logger: Boot_DEBUG: start of a service',
	'DEBUG:     #15 pc 000000000045c4a0  /system/lib64/library.so',
	'Kernel command line: console=ttyS0 panic="Kernel panic - not syncing: no" quiet',
	'root@guest:~# echo BUG: unable to handle page fault > /dev/kmsg',
]) {
	test(`not a report: ${line}`, t => {
		t.deepEqual(findKernelReports(`[    1.234567] ${line}`), []);
	});
}

test('a program that prints BUG: is not the kernel, if the kernel stamps its lines', t => {
	t.deepEqual(findKernelReports('[ 1.0] before\nBUG: what a program says\n[ 1.1] after'), []);
	t.is(findKernelReports('[ 1.0] before\n[ 1.1] BUG: Strange thing').length, 1);
	t.is(findKernelReports('before\nBUG: Strange thing\nafter').length, 1);
});

test('a CPU that was asked for a backtrace may begin a report of its own', t => {
	const stall = [
		'[    1.0][    C0] rcu: INFO: rcu_preempt detected stalls on CPUs/tasks:',
		'[    1.0][    C1] NMI backtrace for cpu 1',
		'[    1.0][    C1] RIP: 0010:ring_spin+0x1/0x2',
		'[    1.0][    C1] Call Trace:',
		'[    1.0][    C1]  ring_loop+0x1/0x2',
		'[    1.0][    C1]  kthread+0x1/0x2',
	];
	t.deepEqual(
		findKernelReports(stall.join('\n')).map(({title}) => title),
		['INFO: rcu_preempt stall in ring_loop'],
	);
	const own = ['[    1.1][    C1] BUG: Strange thing', '[    1.1][    C0] more of the stall'];
	const reports = findKernelReports([...stall, ...own].join('\n'));
	t.deepEqual(
		reports.map(({title}) => title),
		['INFO: rcu_preempt stall in ring_loop', 'BUG: Strange thing'],
	);
	t.regex(reports[0]!.text, /more of the stall$/);
});

test('a panic caused by an oops belongs to the oops; another one is a report of its own', t => {
	const oops =
		'[ 1.0] BUG: unable to handle page fault for address: 0\n[ 1.1] RIP: 0010:f+0x1/0x2\n[ 1.2] ---[ end trace 0000000000000000 ]---';
	t.like(findKernelReports(`${oops}\n[ 1.3] Kernel panic - not syncing: Fatal exception`), [
		{title: 'BUG: unable to handle page fault in f', hasPanicked: true},
	]);
	t.is(findKernelReports(`${oops}\n[ 1.3] Kernel panic - not syncing: out of ideas`).length, 2);
});

test('a panic belongs to the report of its own CPU', t => {
	const lines = [
		'[    1.0][    C0] watchdog: BUG: soft lockup - CPU#0 stuck for 23s! [agent:7]',
		'[    1.0][    C0] RIP: 0010:ring_spin+0x1/0x2 [ring]',
		'[    1.1][    C1] WARNING: CPU: 1 PID: 1 at a.c:1 f+0x1/0x2',
		'[    1.2][    C0] Kernel panic - not syncing: softlockup: hung tasks',
	];
	t.deepEqual(
		findKernelReports(lines.join('\n')).map(({title, hasPanicked}) => [title, Boolean(hasPanicked)]),
		[
			['BUG: soft lockup in ring_spin [ring]', true],
			['WARNING in f', false],
		],
	);
});

test('a report that starts inside another one is separate', t => {
	const reports = findKernelReports(
		[
			'[ 1.0] ------------[ cut here ]------------',
			'[ 1.1] WARNING: CPU: 0 PID: 1 at a.c:1 f+0x1/0x2',
			'[ 1.1] BUG: unable to handle page fault for address: 0000000000000000',
			'[ 1.1] CPU: 0 PID: 1 Comm: agent',
			'[ 1.2] RIP: 0010:g+0x1/0x2',
			'[ 1.3] ---[ end trace 0000000000000000 ]---',
		].join('\n'),
	);
	t.deepEqual(
		reports.map(({title}) => title),
		['WARNING in f', 'BUG: unable to handle page fault in g'],
	);
});

for (const [headline, reason] of [
	['BUG: unable to handle page fault for address: ffffc90000000000', 'Fatal exception in interrupt'],
	['watchdog: BUG: soft lockup - CPU#0 stuck for 22s! [agent:7]', 'softlockup: hung tasks'],
	['INFO: task agent:7 blocked for more than 120 seconds.', 'hung_task: blocked tasks'],
	['watchdog: Watchdog detected hard LOCKUP on cpu 0', 'Hard LOCKUP'],
	['rcu: INFO: rcu_preempt detected stalls on CPUs/tasks:', 'RCU Stall'],
	['BUG: scheduling while atomic: agent/7/0x00000002', 'scheduling while atomic'],
	['BUG: unable to handle page fault for address: ffffc90000000000', 'Attempted to kill init! exitcode=0x0000000b'],
	['WARNING: CPU: 0 PID: 7 at ring.c:7 ring_check+0x7/0x20', 'panic_on_warn set ...'],
	['BUG: KASAN: use-after-free in ring_check+0x7/0x20', 'KASAN: panic_on_warn set ...'],
] as const)
	test(`a panic because of a report belongs to it: ${reason}`, t => {
		const lines = [headline, 'RIP: 0010:ring_check+0x7/0x20', `Kernel panic - not syncing: ${reason}`];
		const reports = findKernelReports(lines.join('\n'));
		t.is(reports.length, 1, reports.map(({title}) => title).join(', '));
		t.true(reports[0]!.hasPanicked);
		t.false(findKernelReports(lines.slice(0, 2).join('\n'))[0]!.hasPanicked ?? false);
	});

test('a stall is located outside the interrupt that reports it', t => {
	const stall = [
		'[ 1.0] INFO: rcu_sched self-detected stall on CPU',
		'[ 1.0]  <IRQ>',
		'[ 1.0]  some_timer_function+0x1/0x2',
		'[ 1.0]  </IRQ>',
		'[ 1.0]  fx_spin+0x1/0x2 [fixtures]',
	];
	t.is(findKernelReports(stall.join('\n'))[0]?.title, 'INFO: rcu_sched stall in fx_spin [fixtures]');
});

test('the end of a report without its beginning is a report', t => {
	t.is(findKernelReports('[ 1.0] ---[ end trace 0000000000000000 ]---').length, 1);
	const long = [
		'BUG: Bad thing',
		...Array.from({length: 300}, (_, n) => `line ${n}`),
		'---[ end trace 0000000000000000 ]---',
	];
	t.is(findKernelReports(long.join('\n')).length, 1);
});

test('a report of a task that works for others, or of an interrupt, is asynchronous; a stall is its own', t => {
	const isAsynchronous = (...lines: readonly string[]) => findKernelReports(lines.join('\n'))[0]?.isAsynchronous;
	const warning = 'WARNING: CPU: 0 PID: 7 at lib/list.c:1 ring_check+0x7/0x20 [ring]';
	const by = (task: string) => `CPU: 0 PID: 7 Comm: ${task} Not tainted 6.1.0 #1`;
	for (const task of [
		'kworker/0:1',
		'ksoftirqd/0',
		'rcu_preempt',
		'swapper/1',
		'migration/0',
		'khungtaskd',
		'kmemleak',
	])
		t.true(isAsynchronous(warning, by(task)), task);
	t.false(isAsynchronous(warning, by('agent')));
	t.true(isAsynchronous(warning, by('agent'), 'Call Trace:', ' <IRQ>', ' ring_check+0x7/0x20 [ring]'));
	const stall = 'watchdog: BUG: soft lockup - CPU#0 stuck for 22s! [kworker/0:1:7]';
	t.false(isAsynchronous(stall, by('kworker/0:1'), 'Call Trace:', ' <IRQ>', ' ring_check+0x7/0x20 [ring]'));
});

test('the task of a report is the one that it is about, not the one that notices', t => {
	const taskOf = (...lines: readonly string[]) => {
		const [report, ...others] = findKernelReports(lines.map(line => `[    1.0] ${line}`).join('\n'));
		t.deepEqual(others, []);
		return report?.task;
	};
	const by = (task: string) => `CPU: 0 PID: 29 Comm: ${task} Not tainted 6.1.0 #1`;
	const cpus = ['NMI backtrace for cpu 0', by('khungtaskd'), 'NMI backtrace for cpu 1', by('other'), 'Call Trace:'];
	const hung = 'INFO: task ring-reader:7 blocked for more than 120 seconds.';
	t.is(taskOf(hung, 'task:ring-reader state:D stack:0 pid:7', ...cpus), 'ring-reader');
	t.is(taskOf(by('khungtaskd'), hung, by('khungtaskd')), 'ring-reader', 'even if it is named first');
	t.is(taskOf("INFO: task ring-reader:7 can't die for more than 143 seconds.", ...cpus), 'ring-reader');
	const leak = ['unreferenced object 0xffff8880 (size 64):', '  comm "a reader", pid 7, jiffies 1', '  backtrace:'];
	t.is(taskOf(...leak), 'a reader');
	t.is(taskOf('WARNING: CPU: 0 PID: 29 at a.c:1 f+0x1/0x2', by('agent'), by('other')), 'agent', 'the first');
	t.is(taskOf('WARNING: CPU: 0 PID: 29 at a.c:1 f+0x1/0x2', 'Call Trace:'), undefined);
});

test('a report between two cells carries the last mark', t => {
	const detector = new CrashDetector();
	for (const line of [
		'probe-matrix: begin a 0',
		'probe-matrix: end a 0',
		'refcount_t: underflow; use-after-free.',
		'probe-matrix: begin b 0',
	])
		detector.push(`[    1.0] ${line}`);
	t.is(detector.reports[0]?.mark, 'end a 0');
});

test('the number of reports and of their lines is limited', t => {
	const detector = new CrashDetector();
	for (let n = 0; n < 100_000; n++) detector.push(n % 300 === 0 ? `BUG: Bad thing ${n}` : `line ${n}`);
	t.true(detector.reports.length <= 50);
	t.true(detector.reports.every(({text}) => text.split('\n').length <= 200));
});

test('the end of a report that is longer than what is read begins no other', t => {
	for (const length of [598, 599, 600, 601, 700]) {
		const trace = Array.from({length}, (_, n) => `[    1.0]  f${n}+0x1/0x2`);
		const text = ['[    1.0] kernel BUG at mm/slub.c:4000!', ...trace, '[    1.0] ---[ end trace 0 ]---'].join('\n');
		t.deepEqual(
			findKernelReports(text).map(({title}) => title),
			['kernel BUG in f0'],
			`${length} lines`,
		);
	}
});

test('a million lines without a report are scanned quickly', t => {
	const detector = new CrashDetector();
	const before = process.threadCpuUsage();
	for (let n = 0; n < 1_000_000; n++) detector.push('[    1.000000] fixtures: flood line of a flood that does not end');
	// CPU time: a busy host must not fail it.
	t.true(process.threadCpuUsage(before).user < 5_000_000);
	t.is(detector.count, 0);
});

test('a report goes on until its end, whether its beginning was seen or not', t => {
	const ended = '[ 1.3] ---[ end trace 0000000000000000 ]---';
	const oops = ['[ 1.0] BUG: unable to handle page fault for address: 0', '[ 1.1] RIP: 0010:f+0x1/0x2'];
	const unnamed = ['[ 1.0] ------------[ cut here ]------------', '[ 1.1] RIP: 0010:f+0x1/0x2'];
	const isOpenAfter = (lines: readonly string[]) => {
		const detector = new CrashDetector();
		for (const line of lines) detector.push(line);
		return detector.isInReport;
	};
	for (const begun of [
		oops,
		unnamed,
		[...unnamed, ...unnamed.slice(1), '[ 1.2] a', '[ 1.2] b', '[ 1.2] c', '[ 1.2] d'],
	]) {
		t.true(isOpenAfter(begun), begun.join('\n'));
		t.false(isOpenAfter([...begun, ended]), begun.join('\n'));
		const [report, ...others] = findKernelReports([...begun, ended, '[ 1.4] a harmless line'].join('\n'));
		t.deepEqual(others, []);
		t.regex(report!.text, /end trace 0+ \]---$/);
	}
	t.false(isOpenAfter([ended]));
	t.false(isOpenAfter(['[ 1.4] a harmless line']));
});

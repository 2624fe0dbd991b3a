// SPDX-License-Identifier: GPL-2.0
import test from 'ava';
import {findKernelReports} from './crash-detector.ts';
import {isStaleBreakpoint} from './stale-breakpoint.ts';

/** From Linux 6.12 in a storm of attaches under QEMU 10.0.2. */
const stale = `\
[   59.226503] Oops: int3: 0000 [#1] PREEMPT SMP NOPTI
[   59.226999] CPU: 1 UID: 0 PID: 271 Comm: agent Tainted: G           OE      6.12.117 #1
[   59.227343] RIP: 0010:fx_c+0x5/0x60 [fixtures]
[   59.227603] Code: ff c3 cc cc cc cc 66 90 90 90 90 f3 0f 1e fa e8 <a7> c5 02 00 53 48 8b 5c 24 28
[   59.227793] RSP: 0018:ffffc90000e4bd90 EFLAGS: 00000282
[   59.228579] Call Trace:
[   59.228667]  <TASK>
[   59.228759]  fx_thunk+0xa6/0x160 [fixtures]
[   59.229525]  </TASK>
[   59.230370] ---[ end trace 0000000000000000 ]---
`;

function judge(text: string): boolean {
	return isStaleBreakpoint(findKernelReports(text)[0]!);
}

test('an int3 whose byte in memory is not 0xcc is a stale breakpoint', t => {
	t.true(judge(stale));
});

test('an int3 whose byte is 0xcc is a bug of the kernel', t => {
	t.false(judge(stale.replace('e8 <a7>', 'cc <a7>')));
});

test('other reports, and ones without code bytes, are bugs of the kernel', t => {
	t.false(judge(stale.replace('Oops: int3: 0000', 'Oops: general protection fault: 0000')));
	t.false(judge(stale.replace(/^.*Code: .*\n/m, '')));
	t.false(judge(stale.replace('[#1]', '[#2]')));
});

/** From Linux 6.1 under QEMU 10.0.2: a kretprobe on a function whose `__fentry__` site bprobe had just joined. */
const goneOnAtNull = `\
[   42.857161] BUG: kernel NULL pointer dereference, address: 0000000000000000
[   42.858016] #PF: supervisor instruction fetch in kernel mode
[   42.859862] Oops: 0010 [#1] PREEMPT SMP NOPTI
[   42.860440] CPU: 0 PID: 2006 Comm: agent Tainted: G           OE      6.1.0-56-cloud-amd64 #1  Debian 6.1.192-2
[   42.861577] RIP: 0010:0x0
[   42.862553] Code: Unable to access opcode bytes at 0xffffffffffffffd6.
[   42.862835] RSP: 0018:ffffc9000103bbd8 EFLAGS: 00010097
[   42.868079] Call Trace:
[   42.868467]  <TASK>
[   42.868851]  trace_clock_x86_tsc+0x20/0x20
[   42.869697]  ? fx_chain_8+0x10/0x10 [fixtures]
[   42.869942]  fx_invoke+0xeb/0x170 [fixtures]
[   42.877856]  </TASK>
[   42.880395] ---[ end trace 0000000000000000 ]---
`;

test('a jump to 0 from a kretprobe on an ftrace site is a stale breakpoint', t => {
	t.true(judge(goneOnAtNull));
});

test('a call of a null pointer is a bug of the kernel', t => {
	t.false(judge(goneOnAtNull.replace('tsc+0x20/0x20', 'tsc+0x1c/0x20')));
	t.false(judge(goneOnAtNull.replace('EFLAGS: 00010097', 'EFLAGS: 00010297')));
	t.false(judge(goneOnAtNull.replace('RIP: 0010:0x0', 'RIP: 0010:0x8')));
	t.false(judge(goneOnAtNull.replace(/^.*tsc\+.*\n/m, '')));
});

/** From Linux 4.15.11 under QEMU 10.0.2, while bprobe was not loaded. */
const diedAtKprobe = `\
[   24.020208] BUG: unable to handle kernel NULL pointer dereference at 0000000000000000
[   24.021520] IP: fx_c+0x0/0x60 [fixtures]
[   24.022426] Oops: 0010 [#1] PREEMPT SMP NOPTI
[   24.022817] Modules linked in: fixtures(O) [last unloaded: bprobe]
[   24.023484] CPU: 0 PID: 41 Comm: agent Tainted: G           O     4.15.11 #1
[   24.024212] RIP: 0010:fx_c+0x0/0x60 [fixtures]
[   24.024384] RSP: 0018:ffffc9000013bd48 EFLAGS: 00010246
[   24.027700] CR2: 0000000000000000 CR3: 000000000fa0a000 CR4: 0000000000340eb0
[   24.028000] Call Trace:
[   24.028391]  ? trace_clock_x86_tsc+0x10/0x10
[   24.029159]  fx_invoke+0xf5/0x180 [fixtures]
[   24.039018] Code: 55 48 89 e5 e8 e2 ff ff ff 5d c3 <e8> 9b 89 00 00 55 48 89 e5 53
[   24.039992] RIP: fx_c+0x0/0x60 [fixtures] RSP: ffffc9000013bd48
[   24.040226] CR2: 0000000000000000
[   24.040752] ---[ end trace ab233cb16ab05949 ]---
`;

test('a fetch from 0 with RIP at the kprobe is a stale breakpoint', t => {
	t.true(judge(diedAtKprobe));
	t.false(judge(diedAtKprobe.replace('<e8>', '<cc>')), 'a breakpoint that is there');
	t.false(judge(diedAtKprobe.replaceAll('fx_c+0x0', 'fx_c+0x4')), 'inside of a function');
	t.false(judge(diedAtKprobe.replaceAll('CR2: 0000000000000000', 'CR2: 0000000000000008')), 'another address');
	t.false(judge(diedAtKprobe.replace('Oops: 0010', 'Oops: 0000')), 'a read');
});

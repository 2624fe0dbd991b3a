import test from 'ava';
import {findKernelReports} from './crash-detector.ts';
import {isStaleBreakpoint} from './stale-breakpoint.ts';

/** As Linux 6.12 said it in a storm of attaches under QEMU 10.0.2. */
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

test('a breakpoint that the kernel does not find in its memory is a stale one', t => {
	t.true(judge(stale));
});

test('one that is there is the kernel’s matter', t => {
	t.false(judge(stale.replace('e8 <a7>', 'cc <a7>')));
});

test('so is any other death, and one whose bytes are not told', t => {
	t.false(judge(stale.replace('Oops: int3: 0000', 'Oops: general protection fault: 0000')));
	t.false(judge(stale.replace(/^.*Code: .*\n/m, '')));
	t.false(judge(stale.replace('[#1]', '[#2]')));
});

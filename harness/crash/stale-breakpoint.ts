// SPDX-License-Identifier: GPL-2.0
import type {KernelReport} from './crash-report.ts';

const timeStamps = /^\[ *[\d.]+\] /gm;
/** A breakpoint is one byte, and RIP points behind it. */
const firstOops = /^(?:Oops: )?int3: 0000 \[#1\]/m;
const behindByte = /^Code: (?:[\da-f]{2} )*([\da-f]{2}) <[\da-f]{2}>/m;

const jumpToNull = /^RIP: 0010:0x0$/m;
const flags = /\bEFLAGS: ([\da-f]{8})$/m;
/** The top of the stack; with RIP 0 the trace begins with it. */
const topOfStack = /<(?:TASK|IRQ)>\n *\w[\w.]*\+(0x[\da-f]+)\/(0x[\da-f]+)/;
const interruptsOn = 0x200;
/** The instruction fetch at 0 failed, and the report names the kprobe that led there as RIP. */
const fetchOops = /^Oops: 0010 \[#1\]/m;
const addressZero = /^CR2: 0{16}$/m;
const atFunction = /^RIP: 0010:\w[\w.]*\+0x0\//m;
const atByte = /^Code: (?:[\da-f]{2} )*<([\da-f]{2})>/m;

/**
 * Whether a kernel died of a breakpoint that its memory no longer holds, judged by the code bytes in its report.
 *
 * This cannot happen on a processor: before a kernel forgets a breakpoint that it has removed, it interrupts every CPU.
 * Multi-threaded emulation can execute an old translation even after that (gdb-stub.ts). Kernels before 6.8 ignore such
 * a breakpoint, and the vCPU loops; later ones take it for a foreign one and die.
 *
 * If a kprobe sits on the `__fentry__` site whose patching left the breakpoint behind, the kernel handles the
 * breakpoint as that kprobe's. Such a kprobe has no instruction copy to single-step, so the kernel continues at address
 * 0 with interrupts off, as for a single step. A kretprobe has then already put its trampoline on top of the stack, so
 * the word there is the beginning of a function; a call of a null pointer would leave an address inside its caller.
 * Kernels before 5.14 report RIP at the kprobe, whose byte is no breakpoint, with a fetch from 0.
 */
export function isStaleBreakpoint(report: Pick<KernelReport, 'text'>): boolean {
	const text = report.text.replaceAll(timeStamps, '');
	const byte = behindByte.exec(text)?.[1];
	if (firstOops.test(text)) return byte !== undefined && byte !== 'cc';
	if (fetchOops.test(text) && addressZero.test(text) && atFunction.test(text)) return atByte.exec(text)?.[1] !== 'cc';
	const [, offset, size] = topOfStack.exec(text) ?? [];
	const isInterruptible = (Number.parseInt(flags.exec(text)?.[1] ?? '0', 16) & interruptsOn) !== 0;
	return jumpToNull.test(text) && !isInterruptible && offset !== undefined && offset === size;
}

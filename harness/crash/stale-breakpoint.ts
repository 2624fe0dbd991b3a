import type {KernelReport} from './crash-report.ts';

const timeStamps = /^\[ *[\d.]+\] /gm;
/** A breakpoint is one byte, and the instruction pointer is behind it. */
const firstOops = /^(?:Oops: )?int3: 0000 \[#1\]/m;
const behindByte = /^Code: (?:[\da-f]{2} )*([\da-f]{2}) <[\da-f]{2}>/m;

const jumpToNull = /^RIP: 0010:0x0$/m;
const flags = /\bEFLAGS: ([\da-f]{8})$/m;
/** What is on top of the stack, when nothing is known of the place that is executed. */
const topOfStack = /<(?:TASK|IRQ)>\n *\w[\w.]*\+(0x[\da-f]+)\/(0x[\da-f]+)/;
const interruptsOn = 0x200;
/** The instruction at 0 could not be fetched, and the kprobe that led there has been put in its place. */
const fetchOops = /^Oops: 0010 \[#1\]/m;
const addressZero = /^CR2: 0{16}$/m;
const atFunction = /^RIP: 0010:\w[\w.]*\+0x0\//m;
const atByte = /^Code: (?:[\da-f]{2} )*<([\da-f]{2})>/m;

/**
 * Whether a kernel died of a breakpoint that its memory does not hold, going by the bytes in its own report.
 *
 * On a processor this cannot be: before a kernel forgets a breakpoint that it has removed, it makes every CPU take an
 * interrupt. Multi-threaded emulation can execute an old translation after that (gdb-stub.ts). Kernels before 6.8 let
 * such a breakpoint pass and a vCPU loops; later ones take it for a foreign one, and die.
 *
 * Where a kprobe lies on the `__fentry__` site whose patching left the breakpoint behind, the kernel handles it as that
 * kprobe's, which has no copy of an instruction to go on at: it goes on at 0, with interrupts off as for a single step.
 * By then a kretprobe has put its trampoline on top of the stack, so that the word there is where a function begins. A
 * call of a null pointer leaves an address inside its caller there. Kernels before 5.14 say that it died at the kprobe, whose
 * byte is no breakpoint, while it fetched from 0.
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

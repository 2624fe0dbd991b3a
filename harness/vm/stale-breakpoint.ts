import type {KernelReport} from './crash-report.ts';

/** A breakpoint is one byte, and the instruction pointer is behind it. */
const firstOops = /^(?:\[ *[\d.]+\] )?(?:Oops: )?int3: 0000 \[#1\]/m;
const behindByte = /^(?:\[ *[\d.]+\] )?Code: (?:[\da-f]{2} )*([\da-f]{2}) <[\da-f]{2}>/m;

/**
 * Whether a kernel died of a breakpoint that its memory does not hold, going by the bytes in its own report.
 *
 * On a processor this cannot be: before a kernel forgets a breakpoint that it has removed, it makes every CPU take an
 * interrupt. Multi-threaded emulation can execute an old translation after that (gdb-stub.ts). Kernels before 6.8 let
 * such a breakpoint pass and a vCPU loops; later ones take it for a foreign one, and die.
 */
export function isStaleBreakpoint({text}: Pick<KernelReport, 'text'>): boolean {
	const byte = behindByte.exec(text)?.[1];
	return firstOops.test(text) && byte !== undefined && byte !== 'cc';
}

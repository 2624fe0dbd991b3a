/* SPDX-License-Identifier: GPL-2.0 */
/*
 * What the handlers of entry.c and return.c have in common.
 *
 * Both run with interrupts off and bp_cpu.busy set. So they are never
 * interrupted by another handler on their CPU, except by an NMI or by a probe
 * inside what a program calls; those find busy set and count a miss. The
 * interrupt state is changed by raw operations only, before busy is known:
 * lockdep's tracing could itself be probed. No lock, no allocation, no sleep.
 */
#ifndef BPROBE_HANDLER_H
#define BPROBE_HANDLER_H

#include <linux/kernel.h>

#include "frame.h"

#define BP_TRAMPOLINE ((unsigned long)bp_return_trampoline)

static __always_inline const struct bp_probes *bp_probes_of(struct bp_site *site, int point)
{
	/* Interrupts are off, which is what bp_synchronize_handlers() waits for. */
	return rcu_dereference_raw(site->probes[point]);
}

/*
 * A program that walks the stack must see the callers, not the trampoline:
 * this puts the real addresses back into all slots of the task, newest first,
 * and bp_lower() undoes it. Only a slot that holds exactly our trampoline is
 * written; kretprobe and the function graph tracer have slots of their own.
 */
static __always_inline void bp_lift(struct bp_frame *frame)
{
	for (; frame; frame = frame->below) {
		/* After a call that ended without a return, the slot may hold anything. */
		frame->lifted = READ_ONCE_NOCHECK(*frame->slot) == BP_TRAMPOLINE;
		if (frame->lifted)
			*frame->slot = frame->caller;
	}
}

static __always_inline void bp_lower(struct bp_frame *frame)
{
	for (; frame; frame = frame->below) {
		if (frame->lifted)
			*frame->slot = BP_TRAMPOLINE;
	}
}

/*
 * Registers as they are at the function's first instruction or at its ret,
 * whichever way the hook came: ip and sp are normalised, and what ftrace,
 * int3 and optimized kprobes leave undefined (orig_ax holds stack garbage on
 * 4.15, optprobes' ss is the return address) is set to what a kernel has.
 */
static __always_inline void bp_set_regs(struct pt_regs *to, const struct pt_regs *from,
					unsigned long address, unsigned long *slot)
{
	*to = *from;
	to->ip = address;
	to->sp = (unsigned long)slot;
	to->orig_ax = -1;
	to->cs = __KERNEL_CS;
	to->ss = __KERNEL_DS;
	to->flags |= X86_EFLAGS_FIXED;	/* else newer kernels unwind from the handler */
}

#endif

// SPDX-License-Identifier: GPL-2.0
/*
 * What happens at the entry and at the return of a probed function.
 *
 * Both handlers run with interrupts off and bp_cpu.busy set. So they are never
 * interrupted by another handler on their CPU, except by an NMI or by a probe
 * inside what a program calls; those find busy set and count a miss. The
 * interrupt state is changed by raw operations only, before busy is known:
 * lockdep's tracing could itself be probed. No lock, no allocation, no sleep.
 */
#include <linux/kernel.h>
#include <linux/sched/task_stack.h>

#include "frame.h"

#define TRAMPOLINE ((unsigned long)bp_return_trampoline)

static __always_inline const struct bp_probes *probes_of(struct bp_site *site, int point)
{
	/* Interrupts are off, which is what bp_synchronize_handlers() waits for. */
	return rcu_dereference_raw(site->probes[point]);
}

static void count_misses(const struct bp_probes *probes, int reason)
{
	unsigned int i;

	if (!probes)
		return;
	for (i = 0; i < probes->count; i++)
		raw_cpu_inc(probes->probe[i]->counts->misses[reason]);
}
NOKPROBE_SYMBOL(count_misses);

static noinline void miss(struct bp_site *site, int reason)
{
	/* Without RCU the arrays may be freed under us: nothing can be counted. */
	if (!site || !rcu_is_watching())
		return;
	count_misses(probes_of(site, BPROBE_ENTRY), reason);
	count_misses(probes_of(site, BPROBE_RETURN), reason);
}
NOKPROBE_SYMBOL(miss);

/*
 * Interrupts were turned off behind lockdep's back. The locks that a helper
 * takes must find it in the know, or it remembers interrupts as off when they
 * are on again; and it must be left as it was found, right or wrong.
 */
static __always_inline void run(struct bp_ctx *ctx)
{
	bool irqs_on = bp_lockdep_irqs_on();

	if (irqs_on)
		trace_hardirqs_off();
	if (bp_nmi_refused())
		count_misses(ctx->probes, BPROBE_MISS_NMI);
	else if (!bp_run(ctx))
		count_misses(ctx->probes, BPROBE_MISS_BPF_BUSY);
	if (irqs_on)
		trace_hardirqs_on();
}

/*
 * A program that walks the stack must see the callers, not the trampoline:
 * this puts the real addresses back into all slots of the task, newest first,
 * and lower() undoes it. Only a slot that holds exactly our trampoline is
 * written; kretprobe and the function graph tracer have slots of their own.
 */
static __always_inline void lift(struct bp_frame *frame)
{
	for (; frame; frame = frame->below) {
		/* The frame of a call that never returned may lie in anything by now. */
		frame->lifted = READ_ONCE_NOCHECK(*frame->slot) == TRAMPOLINE;
		if (frame->lifted)
			*frame->slot = frame->caller;
	}
}

static __always_inline void lower(struct bp_frame *frame)
{
	for (; frame; frame = frame->below) {
		if (frame->lifted)
			*frame->slot = TRAMPOLINE;
	}
}

/*
 * Registers as they are at the function's first instruction or at its ret,
 * whichever way the hook came: ip and sp are normalised, and what ftrace,
 * int3 and optimized kprobes leave undefined (orig_ax holds stack garbage on
 * 4.15, optprobes' ss is the return address) is set to what a kernel has.
 */
static __always_inline void set_regs(struct pt_regs *to, const struct pt_regs *from,
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

static __always_inline void set_ext(struct bprobe_ext *ext, const struct pt_regs *regs,
				    unsigned long *slot, unsigned long caller,
				    unsigned long address)
{
	unsigned int i;

	ext->version = BPROBE_EXT_VERSION;
	ext->size = sizeof(*ext);
	ext->function = address;
	ext->caller = bp_graph_caller(caller, slot);
	set_regs((struct pt_regs *)ext->entry, regs, address, slot);
	/*
	 * The words above the slot may lie beyond the stack: interrupt stacks
	 * end in a guard page. Within the slot's page they are there.
	 */
	if (likely(((unsigned long)slot & ~PAGE_MASK) <=
		   PAGE_SIZE - (BPROBE_STACK_WORDS + 1) * sizeof(long))) {
		/* Some may be no arguments but a redzone of the caller's, which KASAN would report. */
#pragma GCC unroll 8
		for (i = 0; i < BPROBE_STACK_WORDS; i++)
			ext->stack[i] = READ_ONCE_NOCHECK(slot[1 + i]);
	} else if (bp_read_nofault(ext->stack, slot + 1, sizeof(ext->stack))) {
		memset(ext->stack, 0, sizeof(ext->stack));
	}
}

/*
 * Frames below the new call on the task's own stack belong to calls that ended
 * without a return (an exception's fixup, a rewound stack). A frame at the same
 * slot is left alone: under a tail call it is alive.
 */
static __always_inline void prune(struct bp_cpu *cpu, struct bp_task *task, unsigned long *slot)
{
	unsigned long stack = (unsigned long)task_stack_page(current);
	struct bp_frame *frame;

	if ((unsigned long)slot - stack >= THREAD_SIZE)
		return;
	while (unlikely((frame = task->newest) && frame->slot < slot &&
			(unsigned long)frame->slot - stack < THREAD_SIZE)) {
		WRITE_ONCE(task->newest, frame->below);
		bp_frame_free(cpu, frame);
	}
}

static __always_inline void enter(struct bp_cpu *cpu, struct bp_site *site,
				  struct pt_regs *regs, unsigned long *slot)
{
	const struct bp_probes *entry = probes_of(site, BPROBE_ENTRY);
	const struct bp_probes *ret = probes_of(site, BPROBE_RETURN);
	bool looks = entry && entry->calls_helpers;
	struct bp_frame *frame = NULL;
	struct bp_task *task = NULL;
	unsigned long caller = *slot;
	struct bp_ctx *ctx = &cpu->ctx;
	bool chained = false;

	if (ret || looks || unlikely(caller == TRAMPOLINE)) {
		task = bp_task_find(current);
		if (task) {
			prune(cpu, task, slot);
			/* A tail call: the slot is the jumping function's. */
			chained = caller == TRAMPOLINE;
			if (chained && task->newest)
				caller = task->newest->caller;
		}
	}
	if (ret) {
		if (!task)
			task = bp_task_claim(current);
		if (task)
			frame = bp_frame_alloc(cpu);
		if (frame) {
			ctx = &frame->ctx;
		} else {
			count_misses(ret, BPROBE_MISS_NO_FRAME);
			if (task && !task->newest)
				bp_task_release(task);
		}
	}
	if (frame || looks)
		set_ext(&ctx->ext, regs, slot, caller, site->address);
	if (entry) {
		struct bp_frame *outer = looks && task ? task->newest : NULL;

		set_regs(&ctx->regs, regs, site->address, slot);
		ctx->probes = entry;
		ctx->generation = U64_MAX;
		lift(outer);
		run(ctx);
		lower(outer);
	}
	if (!frame)
		return;
	frame->below = task->newest;
	frame->slot = slot;
	frame->caller = caller;
	frame->site = site;
	frame->generation = READ_ONCE(bp_generation);
	frame->chained = chained;
	/* An NMI that walks this stack finds the frame before the trampoline. */
	WRITE_ONCE(task->newest, frame);
	barrier();
	WRITE_ONCE(*slot, TRAMPOLINE);
}

static __always_inline void handle_entry(struct bp_site *site, struct pt_regs *regs,
					 unsigned long *slot)
{
	struct bp_cpu *cpu = raw_cpu_ptr(&bp_cpu);

	if (unlikely(cpu->busy)) {
		miss(site, in_nmi() && site->hook == BPROBE_HOOK_FTRACE ?
			   BPROBE_MISS_NMI : BPROBE_MISS_RECURSION);
		return;
	}
	cpu->busy = true;
	barrier();
	if (likely(rcu_is_watching()))
		enter(cpu, site, regs, slot);
	else
		atomic64_inc(&site->without_rcu);
	barrier();
	cpu->busy = false;
}

/* Called by bp_ftrace_stub with complete registers. */
void bp_ftrace_entry(unsigned long ip, struct pt_regs *regs)
{
	struct bp_site *site;
	unsigned long flags;

	raw_local_irq_save(flags);
	site = bp_site_find(ip);
	if (likely(site))
		handle_entry(site, regs, (unsigned long *)regs->sp);
	raw_local_irq_restore(flags);
}
NOKPROBE_SYMBOL(bp_ftrace_entry);

/* Called by bp_kprobe_stub: a function without a __fentry__ site, by int3 or optimized kprobe. */
int bp_kprobe_entry(struct kprobe *kprobe, struct pt_regs *regs)
{
	struct bp_site *site = container_of(kprobe, struct bp_site, kprobe);
	unsigned long flags;

	raw_local_irq_save(flags);
	handle_entry(site, regs, (unsigned long *)regs->sp);
	raw_local_irq_restore(flags);
	return 0;
}
NOKPROBE_SYMBOL(bp_kprobe_entry);

/* Runs the return programs of one frame, whose function is about to return. */
static __always_inline void leave(struct bp_frame *frame, const struct pt_regs *regs)
{
	const struct bp_probes *probes;

	if (unlikely(!rcu_is_watching())) {
		atomic64_inc(&frame->site->without_rcu);
		return;
	}
	probes = probes_of(frame->site, BPROBE_RETURN);
	if (!probes)
		return;
	set_regs(&frame->ctx.regs, regs, frame->site->address, frame->slot);
	frame->ctx.probes = probes;
	frame->ctx.generation = frame->generation;
	/* This frame is still in the list: nested stacks must find its caller. */
	if (probes->calls_helpers)
		lift(frame->below);
	run(&frame->ctx);
	if (probes->calls_helpers)
		lower(frame->below);
}

/*
 * Called by bp_return_trampoline: a probed function has executed its ret.
 * @regs were saved right below the slot, whose content may be anything by now
 * (an interrupt may have used the word between the ret and the trampoline).
 */
void bp_return(struct pt_regs *regs)
{
	unsigned long *slot = (unsigned long *)(regs + 1);
	struct bp_frame *frame, *below;
	struct bp_task *task;
	struct bp_cpu *cpu;
	unsigned long flags;
	bool chained, outer_busy;

	raw_local_irq_save(flags);
	cpu = raw_cpu_ptr(&bp_cpu);
	outer_busy = cpu->busy;
	cpu->busy = true;
	barrier();

	task = bp_task_find(current);
	frame = task ? task->newest : NULL;
	while (frame && frame->slot != slot)
		frame = frame->below;
	/* There is no address to go on at. */
	if (unlikely(!frame))
		panic("bprobe: %s[%d] returned through the trampoline without a frame at %px\n",
		      current->comm, current->pid, slot);
	/* Newer ones belong to calls that ended without a return. */
	while (unlikely(task->newest != frame)) {
		below = task->newest->below;
		bp_frame_free(cpu, task->newest);
		WRITE_ONCE(task->newest, below);
	}
	WRITE_ONCE(*slot, frame->caller);
	/* A function and those that tail-called it return by one ret. */
	do {
		leave(frame, regs);
		chained = frame->chained;
		below = frame->below;
		WRITE_ONCE(task->newest, below);
		bp_frame_free(cpu, frame);
		frame = below;
	} while (chained && frame);
	if (!task->newest)
		bp_task_release(task);

	barrier();
	cpu->busy = outer_busy;
	raw_local_irq_restore(flags);
}
NOKPROBE_SYMBOL(bp_return);

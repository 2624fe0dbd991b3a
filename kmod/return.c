// SPDX-License-Identifier: GPL-2.0
/*
 * The return of a function whose return address was replaced at its entry.
 */
#include "handler.h"
#include "run.h"

/* Marks a CPU as busy before it is known which site returns. */
static const struct bp_site returning = {.hook = BPROBE_HOOK_FTRACE};

/* Runs the return programs of one frame, whose function has executed its ret. */
static __always_inline void leave(struct bp_frame *frame, const struct pt_regs *regs)
{
	const struct bp_probes *probes;

	if (unlikely(!rcu_is_watching())) {
		atomic64_inc(&frame->site->without_rcu);
		return;
	}
	probes = bp_probes_of(frame->site, BPROBE_RETURN);
	if (!probes)
		return;
	if (probes->reads)
		bp_set_regs(&frame->ctx.regs, regs, frame->site->address, frame->slot);
	/* This frame is still in the list: nested stacks must find its caller. */
	if (probes->looks)
		bp_lift(frame->below);
	bp_run(&frame->ctx, probes, BPROBE_RETURN, frame->generation);
	if (probes->looks)
		bp_lower(frame->below);
}

/*
 * Called by bp_return_trampoline: a probed function has executed its ret.
 * @regs were saved right below the slot, whose content may be anything by now
 * (an interrupt may have used the word between the ret and the trampoline).
 */
void bp_return(struct pt_regs *regs)
{
	unsigned long *slot = (unsigned long *)(regs + 1);
	const struct bp_site *outer_busy;
	struct bp_frame *frame, *below;
	struct bp_task *task;
	struct bp_cpu *cpu;
	unsigned long flags;
	bool chained;

	raw_local_irq_save(flags);
	cpu = raw_cpu_ptr(&bp_cpu);
	outer_busy = cpu->busy;
	cpu->busy = &returning;
	barrier();

	task = bp_task_find(bp_task_set(current), current);
	frame = task ? task->newest : NULL;
	if (unlikely(!frame || frame->slot != slot)) {
		frame = bp_frame_at(cpu, task, slot);
		/* Only the frame knows the address to return to. */
		if (!frame)
			panic("bprobe: %s[%d] returned through the trampoline without a frame at %px\n",
			      current->comm, current->pid, slot);
	}
	WRITE_ONCE(*slot, frame->caller);
	/* A function and the functions that tail-called it return by one ret. */
	do {
		leave(frame, regs);
		chained = frame->chained;
		below = frame->below;
		WRITE_ONCE(task->newest, below);
		bp_frame_free(cpu, frame);
		frame = below;
	} while (unlikely(chained && frame));
	if (!frame)
		bp_task_release(task);

	barrier();
	cpu->busy = outer_busy;
	raw_local_irq_restore(flags);
}
NOKPROBE_SYMBOL(bp_return);
